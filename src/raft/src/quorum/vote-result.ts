/** Outcome of a vote as far as it is known. */
export const VoteResult = { Pending: 'VotePending', Lost: 'VoteLost', Won: 'VoteWon' } as const;
export type VoteResult = (typeof VoteResult)[keyof typeof VoteResult];
