import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { readYaml, type YamlReading, type YamlRequest } from './read-yaml.js';

/** Takes some 20 ms to read, which is about what a thread takes to start. */
const TEXT_LENGTH_MAX = 32 * 1024;

const code = new URL(`./read-yaml${extname(import.meta.url)}`, import.meta.url);

/** Reads YAML in a thread of its own where it is long: reading 8 MB takes seconds, in which nobody else would be answered. */
export async function readYamlApart(request: YamlRequest): Promise<YamlReading> {
  if (request.yaml.length <= TEXT_LENGTH_MAX) return readYaml(request);
  const thread = new Worker(code, { workerData: request });
  try {
    const [reading] = (await once(thread, 'message')) as [YamlReading];
    return reading;
  } finally {
    await thread.terminate();
  }
}
