/** Docker's service templates: Go templates that know the service, the task and its node. */
import { SwarmError } from './errors.ts';
import { ofText, type GoFunctions } from './go-template/functions.ts';
import { parseTemplate } from './go-template/template.ts';
import { GoStruct, textOf } from './go-template/values.ts';

/** What a template can name, as nested objects with the Go field names. */
export interface TemplateContext {
  readonly Service: { readonly ID: string; readonly Name: string; readonly Labels: Readonly<Record<string, string>> };
  readonly Node: {
    readonly ID: string;
    readonly Hostname: string;
    readonly Platform: { readonly Architecture: string; readonly OS: string };
  };
  readonly Task: { readonly ID: string; readonly Name: string; readonly Slot: string };
}

/** Functions of one argument beyond the ones every template has: `secret`, `config` and `env` of configs and secrets. */
export type TemplateFunctions = Readonly<Record<string, (argument: string) => string>>;

/** What a template is tried with before there is a task; in Docker's sample only the task has a name. */
export const SAMPLE_CONTEXT: TemplateContext = {
  Service: { ID: '', Name: '', Labels: {} },
  Node: { ID: '', Hostname: '', Platform: { Architecture: '', OS: '' } },
  Task: { ID: '', Name: 'taskname', Slot: '1' },
};

/**
 * Expands a template. Throws invalidArgument in Go's words: unknown fields, functions and labels are refused, as in Docker;
 * `index .Service.Labels "x"` gives the empty text for a label that is not there.
 */
export function expandTemplate(text: string, context: TemplateContext, functions: TemplateFunctions = {}): string {
  const own = Object.fromEntries(Object.entries(functions).map(([name, call]) => [name, ofText(call)]));
  const template = parseTemplate(text, { name: 'expansion', functions: { join, ...own }, missingKey: 'error' });
  return template.expand(structOf(context));
}

/**
 * Expands the value of a line `NAME=value` of an environment. A line without a value stays as it is. Throws invalidArgument
 * naming the line.
 */
export function expandVariable(line: string, context: TemplateContext): string {
  const split = line.indexOf('=');
  if (split < 0) return line;
  try {
    return line.slice(0, split + 1) + expandTemplate(line.slice(split + 1), context);
  } catch (error) {
    if (!(error instanceof SwarmError)) throw error;
    throw new SwarmError(error.code, `expanding env ${JSON.stringify(line)}: ${error.message}`, { cause: error });
  }
}

const join: GoFunctions[string] = {
  least: 1,
  call: ([separator, ...items]) => items.map(textOf).join(textOf(separator)),
};

const structOf = ({ Service, Node, Task }: TemplateContext): GoStruct => {
  const platform = new GoStruct({ ...Node.Platform }, 'template.Platform');
  return new GoStruct(
    {
      Service: new GoStruct({ ...Service }),
      Node: new GoStruct({ ...Node, Platform: platform }),
      Task: new GoStruct({ ...Task }),
    },
    '*template.Context',
  );
};
