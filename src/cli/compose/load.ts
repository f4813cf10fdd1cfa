/** Reads compose files, puts values in the place of variables, and lays later files over earlier ones. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isNode, LineCounter, parseDocument, type Document, type ScalarTag } from 'yaml';
import { errorText, SwarmError } from '../../common/errors.ts';
import { environmentOf } from './environment.ts';
import { Field, type Origin, type Path } from './field.ts';
import { composeFile, type ComposeFile } from './file-shape.ts';
import { UsageError } from '../usage-error.ts';
import { interpolate, type Variables } from './interpolate.ts';

export interface LoadOptions {
  readonly variables: Variables;
  /** Hears of what is odd, but no error. */
  readonly warn: (text: string) => void;
}

/** File modes are written as in YAML 1.1: 0400 is octal. */
const OCTAL: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  identify: () => false,
  test: /^0[0-7]+$/,
  resolve: (digits) => Number.parseInt(digits, 8),
};

/** Ids and the like that a number would not hold exactly keep their digits. */
const LARGE_NUMBER: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  identify: () => false,
  test: /^[-+]?[0-9]{16,}$/,
  resolve: (digits) => (Number.isSafeInteger(Number(digits)) ? Number(digits) : String(BigInt(digits))),
};

/** Files by name; "-" is standard input. Throws invalidArgument naming file, line, field, value and remedy. */
export function loadCompose(files: readonly string[], options: LoadOptions): ComposeFile {
  return files.map((file) => loadFile(file, options)).reduce((earlier, later) => composeFile.merge(earlier, later));
}

function loadFile(file: string, { variables, warn }: LoadOptions): ComposeFile {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), {
    lineCounter: lines,
    merge: true,
    customTags: (tags) => [OCTAL, LARGE_NUMBER, ...tags],
  });
  const [problem] = document.errors;
  if (problem) {
    throw new SwarmError('invalidArgument', `${file}: is not YAML: ${problem.message}`, { cause: problem });
  }
  const folder = file === '-' ? process.cwd() : dirname(resolve(file));
  const origin: Origin = { file, folder, lineOf: (path) => lineOf(document, lines, path), warn };
  const raw = new Field(origin, [], document.toJS());
  if (!raw.isMap) throw new SwarmError('invalidArgument', `${file}: holds no services; begin it with "services:"`);
  const unset = new Set<string>();
  const values = Object.fromEntries(
    raw
      .entries()
      .map(([key, inner]) => [
        key,
        key.startsWith('x-') || key === 'version'
          ? inner.value
          : interpolate(inner, variables, (name) => unset.add(name)),
      ]),
  );
  for (const name of unset) warn(`${file}: the variable ${name} is not set: nothing stands in its place`);
  const field = new Field(origin, [], values);
  const found = composeFile.read(field);
  return { ...found, services: withEnvironment(field, found, variables) };
}

/** What stands in env_file counts as if it stood in environment, which goes before it. */
function withEnvironment(field: Field, file: ComposeFile, variables: Variables): NonNullable<ComposeFile['services']> {
  return Object.fromEntries(
    Object.entries(file.services ?? {}).map(([name, { env_file: files, ...service }]) => {
      const place = field.at('services').at(name);
      const environment = environmentOf({ files: files ?? [], own: service.environment, place, variables });
      return [name, environment === undefined ? service : { ...service, environment }];
    }),
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the compose file ${file}: ${errorText(error)}`, { cause: error });
  }
}

/** Of the value, or of the nearest thing around it that stands somewhere. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number | undefined {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}
