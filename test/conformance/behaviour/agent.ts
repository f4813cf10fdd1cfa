/** agent.json: the protocol between agent and manager, each case played against the half it is about. */
import { agentManagerSide } from './agent-manager-side.ts';
import { agentSide } from './agent-side.ts';
import type { CaseHandler } from './case.ts';

export const agent: CaseHandler = async (testCase) => agentManagerSide(testCase) ?? agentSide(testCase);
