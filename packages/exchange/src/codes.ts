/** Error codes of the data plane. */
export const codes = {
  EXCHANGE_BAD_FRAME: {
    domain: "internal",
    retry: "restart-job",
    message: "a frame is malformed",
    fix: "nothing: the job restarts; if it comes again, both ends may be of different versions",
  },
  EXCHANGE_CORRUPT: {
    domain: "external",
    retry: "restart-job",
    message: "a frame was damaged or lost on the way",
    fix: "nothing: the job restarts; if it comes again, look at the network between the hosts named",
  },
  EXCHANGE_PEER_LOST: {
    domain: "external",
    retry: "restart-job",
    message: "the connection to another subtask was lost",
    fix: "nothing: the job restarts; the other subtask's log says why it ended",
  },
  EXCHANGE_NO_CREDIT: {
    domain: "internal",
    retry: "restart-job",
    message: "data was sent without credit",
    fix: "report it: the exchange must never do that",
  },
} as const;
