/** What a call is told while nobody leads: Docker's words, which its clients look for. */
export const NO_LEADER_TEXT =
  "The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.";
