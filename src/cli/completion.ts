/** Shell completion: a small script per shell that asks swarmctl itself, so that commands, flags and live names never go stale. */
import type { Command } from 'commander';
import type { ApiClient } from './client.ts';
import type { NamedObject, NodeObject, ServiceObject } from './types.ts';

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
export async function complete(
  program: Command,
  words: readonly string[],
  client: () => ApiClient,
): Promise<readonly string[]> {
  const last = words.at(-1) ?? '';
  let command = program;
  for (const word of words.slice(0, -1)) {
    command = command.commands.find((c) => c.name() === word || c.aliases().includes(word)) ?? command;
  }
  const candidates = last.startsWith('-')
    ? command.options.flatMap((o) => (o.long ? [o.long] : []))
    : command.commands.length > 0
      ? command.commands.filter((c) => !c.name().startsWith('_')).map((c) => c.name())
      : await namesFor(command, client).catch(() => []);
  return candidates.filter((c) => c.startsWith(last)).sort();
}

/** Names of the objects that a command takes as its argument. */
async function namesFor(command: Command, client: () => ApiClient): Promise<readonly string[]> {
  const noun = command.parent?.name();
  if (command.registeredArguments.length === 0) return [];
  if (noun === 'service') return (await client().get<readonly ServiceObject[]>('/services')).map((s) => s.Spec.Name);
  if (noun === 'node') return (await client().get<readonly NodeObject[]>('/nodes')).map((n) => n.Description.Hostname);
  if (noun === 'secret' || noun === 'config')
    return (await client().get<readonly NamedObject[]>(`/${noun}s`)).map((o) => o.Spec.Name);
  return [];
}
