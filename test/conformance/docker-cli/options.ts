/** The command line of the runner. */
import { parseArgs } from 'node:util';

const USAGE = `usage: npm run conformance:docker-cli -- [DIR] [--nodes N] [--only REGEX] [--skip REGEX] [--out DIR]
         [--record | --differential] [--write-docs]`;

export interface Options {
  /** Holds scenarios, ref and lib.sh. */
  readonly folder: string | undefined;
  /** compare with the recorded answers; record them; play on both sides and compare */
  readonly mode: 'compare' | 'record' | 'differential';
  /** Nodes of each cluster. */
  readonly nodes: number;
  readonly only: RegExp;
  readonly skip: RegExp | undefined;
  /** Where outputs are kept. */
  readonly out: string | undefined;
  readonly writesDocs: boolean;
}

/** What was asked for, or what is wrong with it. */
export function optionsOf(args: readonly string[]): Options | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        nodes: { type: 'string', default: '1' },
        only: { type: 'string', default: '' },
        skip: { type: 'string' },
        out: { type: 'string' },
        record: { type: 'boolean', default: false },
        differential: { type: 'boolean', default: false },
        'write-docs': { type: 'boolean', default: false },
      },
    });
    const nodes = Number(values.nodes);
    if (!Number.isInteger(nodes) || nodes < 1) return `--nodes ${values.nodes}: give a whole number from 1\n${USAGE}`;
    if (positionals.length > 1 || (values.record && values.differential)) return USAGE;
    return {
      folder: positionals[0],
      mode: values.record ? 'record' : values.differential ? 'differential' : 'compare',
      nodes,
      only: new RegExp(values.only),
      skip: values.skip === undefined ? undefined : new RegExp(values.skip),
      out: values.out,
      writesDocs: values['write-docs'],
    };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${USAGE}`;
  }
}
