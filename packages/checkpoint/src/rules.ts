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
  /** A renewed claim's slot is recorded before what is below it is trimmed. */
  readonly renewalsRecorded: boolean;
  /** After a renewed claim's record a leader looks for a higher epoch before it trims. */
  readonly epochAfterRenewal: boolean;
  /** Trimming leaves claims where they are. */
  readonly claimsKept: boolean;
  /** A permit needs the checkpoint's entry in the log. */
  readonly permitNeedsEntry: boolean;
}
export const allRules: Rules = {
  fence: true,
  epochAfterClaim: true,
  loserEnds: true,
  claimsRecorded: true,
  renewalsRecorded: true,
  epochAfterRenewal: true,
  claimsKept: true,
  permitNeedsEntry: true,
};
