import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../../src/api/openapi/operations.ts';
import { requestMetrics } from '../../../src/api/request-metrics.ts';
import { systemClock } from '../../../src/common/clock.ts';
import * as labels from '../../../src/common/service-labels.ts';
import { registerMetrics } from '../../../src/daemon/metrics.ts';
import type { SwarmNode } from '../../../src/daemon/swarm-node.ts';

const page = readFileSync(new URL('../../../docs/extensions.md', import.meta.url), 'utf8');

function metrics(): readonly string[] {
  const registry = new Registry();
  // Figures are read when they are asked for, which nobody does here.
  registerMetrics(registry, {} as SwarmNode);
  requestMetrics(registry, systemClock);
  return registry.getMetricsAsArray().map(({ name }) => name);
}

describe('docs/extensions.md', () => {
  it.each(metrics())('tells of the metric %s', (name) => {
    expect(page).toContain(`\`${name}\``);
  });

  it('tells of the labels of services', () => {
    const names = Object.entries(labels).filter(([key]) => key.startsWith('LABEL_'));
    expect(names.length).toBeGreaterThan(0);
    for (const [, name] of names) expect(page).toContain(`\`${String(name)}\``);
  });

  it('tells of no other metrics than there are', () => {
    const told = [...page.matchAll(/`(swarmd?_[a-z_]+[a-z])`/g)].map(([, name]) => name);
    expect(told.toSorted()).toEqual([...metrics()].toSorted());
  });

  it('tells of the calls below /swarmd', () => {
    const calls = Object.keys(OPERATIONS).filter((call) => call.includes(' /swarmd/'));
    expect(calls.length).toBeGreaterThan(0);
    for (const call of calls) expect(page).toContain(`\`${call.replace(/:\w+/, 'ID')}\``);
  });
});
