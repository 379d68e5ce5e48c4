/** The rules of the log that tests can drop one at a time, to see that each matters. Production knows `allRules` only. */
export interface Rules {
  /** A higher epoch in the log ends whoever reads it. */
  readonly fence: boolean;
  /** After its claim a leader looks for a higher epoch before it does anything. */
  readonly epochAfterClaim: boolean;
  /** A claimed leader that loses a slot ends. */
  readonly loserEnds: boolean;
  /** A claim's slot is recorded, and read by get, rather than looked for in a list. */
  readonly claimsRecorded: boolean;
  /** Claims are trimmed too (a mutant: it is false). */
  readonly trimClaims: boolean;
  /** A permit needs the checkpoint's entry in the log. */
  readonly permitNeedsEntry: boolean;
  /** A permit needs the absence of a higher epoch. */
  readonly permitNeedsEpoch: boolean;
}
export const allRules: Rules = {
  fence: true,
  epochAfterClaim: true,
  loserEnds: true,
  claimsRecorded: true,
  trimClaims: false,
  permitNeedsEntry: true,
  permitNeedsEpoch: true,
};
