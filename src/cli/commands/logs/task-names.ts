/** Names people know for the tasks whose lines are shown: "web.2@node1". */
import type { ApiClient } from '../../client.ts';
import { hostnameOf, type NodeObject, type TaskObject } from '../../types.ts';

export class TaskNames {
  readonly #client: ApiClient;
  readonly #places = new Map<string, Promise<string>>();

  constructor(client: ApiClient) {
    this.#client = client;
  }

  /** Asks once for each task; a task nobody knows any more goes by the start of its id. */
  of(service: string, taskId: string): Promise<string> {
    let place = this.#places.get(taskId);
    if (!place) {
      place = this.#place(taskId).catch(() => taskId.slice(0, 12));
      this.#places.set(taskId, place);
    }
    return place.then((found) => `${service}.${found}`);
  }

  async #place(taskId: string): Promise<string> {
    const task = await this.#client.get<TaskObject>(`/tasks/${taskId}`);
    const slot = task.Slot ? String(task.Slot) : taskId.slice(0, 12);
    if (!task.NodeID) return slot;
    const node = await this.#client.get<NodeObject>(`/nodes/${task.NodeID}`);
    return `${slot}@${hostnameOf(node) || task.NodeID}`;
  }
}
