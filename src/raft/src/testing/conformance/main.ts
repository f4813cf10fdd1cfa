/** Command line of the conformance runner: `node main.js DIR`. */
import { runConformance } from './runner.ts';

process.exitCode = runConformance(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`));
