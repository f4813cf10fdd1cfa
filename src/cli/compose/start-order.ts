/** In which order the services of a stack are deployed: what others depend on comes first, else the order of the file. */
import { SwarmError } from '../../common/errors.ts';
import type { ComposeService, Condition } from './service-shape.ts';
import { own } from './stack-objects.ts';
import type { Dictionary } from './shape.ts';

/** What a service waits for. */
export interface Wait {
  readonly service: string;
  readonly condition: Condition;
}

export interface Start {
  readonly name: string;
  readonly service: ComposeService;
  readonly waits: readonly Wait[];
}

/** Throws invalidArgument for what can never come true: unknown names, circles, waiting for the end of what never ends. */
export function startOrder(services: Dictionary<ComposeService>): readonly Start[] {
  const order: Start[] = [];
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    if (done.has(name)) return;
    if (trail.includes(name)) {
      const circle = [...trail.slice(trail.indexOf(name)), name].join(' → ');
      throw new SwarmError(
        'invalidArgument',
        `services.${name}.depends_on: the services wait for each other in a circle: ${circle}; take one of these out`,
      );
    }
    const service = services[name] as ComposeService;
    const waits = waitsOf(name, service, services);
    for (const wait of waits) visit(wait.service, [...trail, name]);
    done.add(name);
    order.push({ name, service, waits });
  };
  for (const name of Object.keys(services)) visit(name, []);
  return order;
}

function waitsOf(name: string, service: ComposeService, services: Dictionary<ComposeService>): readonly Wait[] {
  return Object.entries(service.depends_on ?? {}).flatMap(([other, { condition = 'service_started', required }]) => {
    const target = own(services, other);
    const field = `services.${name}.depends_on.${other}`;
    if (!target) {
      if (required === false) return [];
      throw new SwarmError('invalidArgument', `${field}: there is no such service; correct the name, or add it`);
    }
    if (condition === 'service_completed_successfully' && !canEnd(target)) {
      throw new SwarmError(
        'invalidArgument',
        `${field}: ${other} never completes, since its tasks are started again when they end; give ${other} deploy.mode: replicated-job, or deploy.restart_policy.condition: on-failure`,
      );
    }
    if (condition === 'service_healthy' && isHealthless(target)) {
      throw new SwarmError(
        'invalidArgument',
        `${field}: ${other} has its health check turned off; give it one, or use condition: service_started`,
      );
    }
    return [{ service: other, condition }];
  });
}

/** Jobs end, and so do services whose tasks stay ended. */
function canEnd({ deploy, restart }: ComposeService): boolean {
  if (deploy?.mode === 'replicated-job' || deploy?.mode === 'global-job') return true;
  const condition = deploy?.restart_policy?.condition;
  return (
    condition === 'none' ||
    condition === 'on-failure' ||
    (!deploy?.restart_policy && restart?.startsWith('on-failure') === true)
  );
}

const isHealthless = ({ healthcheck }: ComposeService): boolean =>
  healthcheck?.disable === true || healthcheck?.test?.[0] === 'NONE';
