/** Runs one data file and compares every output with the expected one. */
import { CommandError } from './command-error.ts';
import { parseDataFile } from './data-file.ts';
import type { Directive } from './data-file.ts';
import { interactionScript } from './interaction/script.ts';
import { membershipScript } from './membership-script.ts';
import { quorumScript } from './quorum-script.ts';
import type { Script } from './script.ts';

export interface Failure {
  /** Line of the directive, from 1; 0 if the file cannot be read as a script. */
  readonly line: number;
  readonly command: string;
  readonly expected: string;
  readonly actual: string;
}

/** The family of a file is the name of the folder it lies in. */
export type Family = 'interaction' | 'confchange' | 'quorum';

export function familyOf(path: string): Family {
  const folders = path.split(/[\\/]/).slice(0, -1);
  for (const folder of folders.reverse()) {
    if (folder === 'confchange' || folder === 'quorum') return folder;
    if (folder === 'testdata' || folder === 'own-extended') return 'interaction';
  }
  return 'interaction';
}

/**
 * The first differences of a file; none if it passes. A directive whose output differs does not stop the file, but one that breaks an
 * invariant of the state machine does: nothing after it means anything.
 */
export function runDataFile(family: Family, text: string): readonly Failure[] {
  let directives: readonly Directive[];
  try {
    directives = parseDataFile(text);
  } catch (error) {
    return [{ line: 0, command: '', expected: 'a script', actual: `${String(error)}\n` }];
  }
  const script = startScript(family);
  const failures: Failure[] = [];
  for (const directive of directives) {
    const { line, command, expected } = directive;
    try {
      const actual = withFinalNewline(runDirective(script, directive));
      if (actual !== expected) failures.push({ line, command, expected, actual });
    } catch (error) {
      const actual = `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
      failures.push({ line, command, expected, actual });
      break;
    }
  }
  return failures;
}

function startScript(family: Family): Script {
  switch (family) {
    case 'interaction':
      return interactionScript();
    case 'confchange':
      return membershipScript();
    case 'quorum':
      return quorumScript();
  }
}

function runDirective(script: Script, directive: Directive): string {
  try {
    return script.run(directive);
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}

function withFinalNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
