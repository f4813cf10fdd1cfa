#!/usr/bin/env node
import { main } from '../dist/cli/main.js';
import { endWithoutReader } from '../dist/common/broken-pipe.js';

endWithoutReader();
process.exitCode = await main(process.argv);
