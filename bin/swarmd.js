#!/usr/bin/env node
import { goOnWithoutReader } from '../dist/common/broken-pipe.js';
import { main } from '../dist/daemon/main.js';

goOnWithoutReader();
process.exitCode = await main(process.argv);
