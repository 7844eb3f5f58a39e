import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readDataDirectory } from './config.js';
import { fail } from './tour/narrate.js';
import { readStack } from './tour/stack.js';
import { walk } from './tour/walk.js';

const workspaceData = fileURLToPath(new URL('../../../.portcullis', import.meta.url));

const { values } = parseArgs({ options: { data: { type: 'string' } } });
try {
  await walk(await readStack(values.data ?? readDataDirectory() ?? workspaceData));
} catch (error) {
  fail(error);
  process.exitCode = 1;
}
