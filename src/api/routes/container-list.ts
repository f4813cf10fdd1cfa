/**
 * GET /containers/json with the filter `is-task`. The engine of such a node calls no container a task's, for it knows of no
 * swarm: theirs are told by their labels.
 */
import { TASK_LABEL } from '../../common/task-label.ts';
import { queryOf, sendJson, type ApiContext } from '../context.ts';
import { parseFilters } from '../filters.ts';
import type { Router } from '../http/router.ts';
import { queryText } from '../query.ts';

const FILTER = 'is-task';
const WORDS: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

interface Listed {
  readonly Labels?: Readonly<Record<string, string>> | null;
}

export function registerContainerList(app: Router, { engine }: ApiContext): void {
  if (!engine) return;
  app.get('/containers/json', async (request, reply) => {
    const query = queryOf(request);
    const asked = parseFilters(query).get(FILTER);
    const words = asked.map((word) => WORDS[word]);
    // Who asks for both gets those of tasks, as on an engine in a swarm.
    const isTask = [true, false].find((word) => words.includes(word));
    // What the engine can answer, or has to refuse, is its own.
    if (isTask === undefined) {
      await engine.pass(request, reply);
      return;
    }
    const filters = JSON.parse(queryText(query, 'filters')) as Record<string, unknown>;
    delete filters[FILTER];
    const rest = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) if (typeof value === 'string') rest.set(key, value);
    rest.set('filters', JSON.stringify(filters));
    // The limit is for what is left.
    rest.delete('limit');
    const { status, json } = await engine.ask('GET', `/containers/json?${rest.toString()}`, request);
    if (status >= 400) {
      await engine.pass(request, reply);
      return;
    }
    const all = (json as readonly Listed[]).filter(({ Labels }) => (Labels?.[TASK_LABEL] !== undefined) === isTask);
    const limit = Number(queryText(query, 'limit'));
    sendJson(reply, 200, limit > 0 ? all.slice(0, limit) : all);
  });
}
