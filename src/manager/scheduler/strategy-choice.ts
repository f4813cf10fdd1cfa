/** Which strategy places a service: its own label, else the cluster's default, else spread. */
import { serviceOptions } from '../../common/service-labels.ts';
import type { Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Reader } from '../store/transaction.ts';
import { strategyNamed, type Strategy } from './strategies/strategy.ts';

export function strategyFor(reader: Pick<Reader, 'cluster'>, service: Service | undefined): Strategy {
  const own = serviceOptions(service?.spec?.annotations?.labels).strategy;
  if (own) return strategyNamed(own);
  const [cluster] = reader.cluster.all();
  return strategyNamed(serviceOptions(cluster?.spec?.annotations?.labels).strategy ?? 'spread');
}
