/** The passing of time, counted in ticks. */
import { MessageType, NO_PEER } from '../types.ts';
import { newMessage } from '../messages.ts';
import type { Raft } from './raft.ts';
import { step } from './step.ts';

export function tick(raft: Raft): void {
  if (raft.role === 'leader') tickLeader(raft);
  else tickFollower(raft);
}

/** Followers and candidates stand for election when they have not heard from a leader for too long. */
function tickFollower(raft: Raft): void {
  raft.electionElapsed++;
  if (raft.isPromotable && raft.electionElapsed >= raft.randomizedElectionTicks) {
    raft.electionElapsed = 0;
    step(raft, newMessage({ type: MessageType.MsgHup, from: raft.id }));
  }
}

/** A leader sends heartbeats, and once per election timeout checks for a quorum and gives up a transfer that has not happened. */
function tickLeader(raft: Raft): void {
  raft.heartbeatElapsed++;
  raft.electionElapsed++;
  if (raft.electionElapsed >= raft.config.electionTicks) {
    raft.electionElapsed = 0;
    if (raft.config.checkQuorum) step(raft, newMessage({ type: MessageType.MsgCheckQuorum, from: raft.id }));
    raft.leadTransferee = NO_PEER;
  }
  if (raft.role !== 'leader') return;
  if (raft.heartbeatElapsed >= raft.config.heartbeatTicks) {
    raft.heartbeatElapsed = 0;
    step(raft, newMessage({ type: MessageType.MsgBeat, from: raft.id }));
  }
}
