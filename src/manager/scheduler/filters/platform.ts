/** The node's operating system and architecture are among those the image is made for. */
import type { Platform } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { nodes, type Filter } from './filter.ts';

export const platformFilter: Filter = {
  name: 'platform',
  isConsumed: false,
  helpedBy: 'node',
  applies: ({ sample }) => {
    const platforms = sample.spec?.placement?.platforms ?? [];
    if (platforms.length === 0) return undefined;
    return {
      passes: ({ node }) => {
        const there = node?.description?.platform;
        return there !== undefined && platforms.some((wanted) => suits(wanted, there));
      },
      why: ({ node }) => {
        const there = node?.description?.platform;
        return `image is for ${platforms.map(platformText).join(', ')}, the node is ${there ? platformText(there) : 'of unknown platform'}`;
      },
    };
  },
  explain: (count) => `unsupported platform on ${nodes(count)}`,
};

const SYNONYMS: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };
const architectureOf = (name: string): string => SYNONYMS[name] ?? name;

const suits = (wanted: Platform, there: Platform): boolean =>
  (wanted.architecture === '' || architectureOf(wanted.architecture) === architectureOf(there.architecture)) &&
  (wanted.os === '' || wanted.os === there.os);

const platformText = ({ os, architecture }: Platform): string => `${os || 'any'}/${architecture || 'any'}`;
