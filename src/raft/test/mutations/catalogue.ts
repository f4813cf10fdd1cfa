/** All planted bugs: those other Rafts have had, and those found here. */
import { ELECTION_MUTATIONS } from './elections.ts';
import { MEMBERSHIP_MUTATIONS } from './membership.ts';
import type { Mutation } from './mutation.ts';
import { REPLICATION_MUTATIONS } from './replication.ts';
import { STORAGE_MUTATIONS } from './storage.ts';

export const MUTATIONS: readonly Mutation[] = [
  ...ELECTION_MUTATIONS,
  ...REPLICATION_MUTATIONS,
  ...MEMBERSHIP_MUTATIONS,
  ...STORAGE_MUTATIONS,
];
