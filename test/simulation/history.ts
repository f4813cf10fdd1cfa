/** The one history of commits that all managers share, put together from what each of them sees, and checked as it grows. */
import type { Change } from '../../src/manager/store/change.ts';
import type { Commit } from '../../src/manager/store/watch.ts';
import type { Node, Service, Task } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeStatus_State, TaskState } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { isWanted } from '../../src/manager/orchestrator/task-life.ts';
import { SlotInvariants } from '../support/slot-invariants.ts';

export class SharedHistory {
  readonly violations: string[] = [];
  readonly #slots = new SlotInvariants();
  readonly #tasks = new Map<string, Task>();
  readonly #nodes = new Map<string, Node>();
  readonly #services = new Map<string, Service>();
  readonly #leaders = new Map<number, string>();
  #version = 0;
  commits = 0;

  /** A manager applied a commit; whoever is first tells what was in it. */
  readonly observe = ({ version, changes }: Commit): void => {
    if (version <= this.#version) return;
    this.#version = version;
    this.commits++;
    this.#slots.observe(changes);
    for (const change of changes) this.#take(change);
    for (const change of changes) if (change.kind === 'task') this.#checkPlacement(change);
    this.violations.push(...this.#slots.violations.splice(0));
  };

  leads(id: string, term: number): void {
    const known = this.#leaders.get(term) ?? id;
    if (known !== id) this.violate(`managers ${known} and ${id} both lead in term ${term}`);
    this.#leaders.set(term, id);
  }

  get elections(): number {
    return this.#leaders.size;
  }

  violate(what: string): void {
    this.violations.push(what);
  }

  #take({ kind, action, object }: Change): void {
    const map = { task: this.#tasks, node: this.#nodes, service: this.#services }[kind as 'task'] as
      Map<string, unknown> | undefined;
    if (action === 'delete') map?.delete(object.id);
    else map?.set(object.id, object);
  }

  /** Invariants 3, 4, 24 and 25 of a task, at the moment it is placed. */
  #checkPlacement(change: Change): void {
    if (change.action === 'delete') return;
    const task = change.object as Task;
    const old = change.old as Task | undefined;
    const state = stateOf(task);
    if (state === TaskState.REMOVE) this.violate(`task ${task.id} is in the state "remove"`);
    const mayBeNowhere = state === TaskState.REJECTED || state === TaskState.SHUTDOWN;
    if (state >= TaskState.ASSIGNED && task.nodeId === '' && !mayBeNowhere)
      this.violate(`task ${task.id} is ${state} and on no node`);
    if (state !== TaskState.ASSIGNED || (old !== undefined && stateOf(old) === TaskState.ASSIGNED)) return;
    const node = this.#nodes.get(task.nodeId);
    if (node === undefined) return this.violate(`task ${task.id} is placed on ${task.nodeId}, which is not there`);
    if (node.status?.state !== NodeStatus_State.READY || node.spec?.availability !== NodeSpec_Availability.ACTIVE)
      this.violate(`task ${task.id} is placed on ${node.id}, which takes no tasks`);
    const live = [...this.#tasks.values()].filter(
      (each) => each.nodeId === node.id && stateOf(each) >= TaskState.ASSIGNED && stateOf(each) <= TaskState.RUNNING,
    );
    const reserved = live.reduce((sum, each) => sum + (each.spec?.resources?.reservations?.nanoCpus ?? 0), 0);
    if (reserved > (node.description?.resources?.nanoCpus ?? 0))
      this.violate(`node ${node.id} has promised ${reserved} nano CPUs of ${node.description?.resources?.nanoCpus}`);
    const most = this.#services.get(task.serviceId)?.spec?.task?.placement?.maxReplicas ?? 0;
    // As Docker counts them: those that are on their way out may still be there.
    const beside = live.filter((each) => each.serviceId === task.serviceId && isWanted(each)).length;
    if (most > 0 && beside > most)
      this.violate(`node ${node.id} runs ${beside} tasks of ${task.serviceId}, not ${most}`);
  }
}

const stateOf = (task: Task): TaskState => task.status?.state ?? TaskState.NEW;
