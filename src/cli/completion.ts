/** Shell completion: a small script per shell that asks swarmctl itself, so that commands, flags and live names never go stale. */
import type { Command, Option } from 'commander';
import { ApiClient } from './client.ts';
import { readContexts } from './contexts-file.ts';
import { endpointOf } from './endpoint.ts';
import { NAMESPACE_LABEL } from './compose/stack-objects.ts';
import { hostnameOf, type NamedObject, type NetworkObject, type NodeObject, type ServiceObject } from './types.ts';

const SCRIPTS = {
  bash: `_swarmctl() {
  local IFS=$'\\n'
  COMPREPLY=($(swarmctl __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _swarmctl swarmctl
`,
  zsh: `#compdef swarmctl
_swarmctl() {
  local -a found
  found=("\${(@f)$(swarmctl __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
compdef _swarmctl swarmctl
`,
  fish: `complete -c swarmctl -f -a '(swarmctl __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
} as const;

export type Shell = keyof typeof SCRIPTS;
export const SHELLS = Object.keys(SCRIPTS) as readonly Shell[];
export const completionScript = (shell: Shell): string => SCRIPTS[shell];

/** Words that may stand in the place of the last one, which may be empty. */
export async function complete(program: Command, words: readonly string[]): Promise<readonly string[]> {
  const last = words.at(-1) ?? '';
  let command = program;
  const given: { host?: string; context?: string } = {};
  let open: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (open) {
      if (open.long === '--host') given.host = word;
      if (open.long === '--context') given.context = word;
      open = undefined;
    } else if (word.startsWith('-')) {
      const option = optionsOf(command, program).find((o) => o.long === word || o.short === word);
      open = option && (option.required || option.optional) ? option : undefined;
    } else command = command.commands.find((c) => c.name() === word || c.aliases().includes(word)) ?? command;
  }
  const candidates = open
    ? open.long === '--context'
      ? contextNames()
      : (open.argChoices ?? [])
    : last.startsWith('-')
      ? optionsOf(command, program).flatMap((o) => (o.long ? [o.long] : []))
      : command.commands.length > 0
        ? command.commands.filter((c) => !c.name().startsWith('_')).map((c) => c.name())
        : await argumentsOf(command, () => new ApiClient(endpointOf(given))).catch(() => []);
  return candidates.filter((c) => c.startsWith(last)).sort((a, b) => a.localeCompare(b));
}

const contextNames = (): readonly string[] => Object.keys(readContexts().contexts);

/** Options of the program are known to each command too. */
const optionsOf = (command: Command, program: Command): readonly Option[] => [
  ...command.options,
  ...program.options.filter((o) => !command.options.some((own) => own.long === o.long)),
];

/** Names of the objects that a command takes as its argument, or the values it knows. */
async function argumentsOf(command: Command, client: () => ApiClient): Promise<readonly string[]> {
  const [argument] = command.registeredArguments;
  if (!argument) return [];
  if (argument.argChoices) return argument.argChoices;
  if (command.parent?.name() === 'context') return contextNames();
  switch (command.parent?.name()) {
    case 'service':
    case 'plan':
      return (await client().get<readonly ServiceObject[]>('/services')).map((s) => s.Spec.Name);
    case 'stack':
      return [
        ...new Set(
          (await client().get<readonly ServiceObject[]>('/services')).flatMap(
            (s) => s.Spec.Labels[NAMESPACE_LABEL] ?? [],
          ),
        ),
      ];
    case 'node':
      return (await client().get<readonly NodeObject[]>('/nodes')).map(hostnameOf);
    case 'network':
      return (await client().get<readonly NetworkObject[]>('/networks')).map((n) => n.Name);
    case 'secret':
    case 'config':
      return (await client().get<readonly NamedObject[]>(`/${command.parent.name()}s`)).map((o) => o.Spec.Name);
    default:
      return [];
  }
}
