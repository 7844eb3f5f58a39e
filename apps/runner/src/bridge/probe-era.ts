import {
  isJsonObject,
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_PROTOCOL_VERSION,
  MODERN_VERSION,
  ownMember,
  parseJson,
  PROTOCOL_VERSIONS,
  type Era,
} from '@portcullis/mcp';
import { afterRunning } from '../spawn/after-running.js';
import type { Child, ChildListener } from '../spawn/child.js';
import { RpcFault } from './rpc-fault.js';
import { RUNNER_INFO } from './runner-info.js';

/** After so long without an answer a child is also asked in the older era: whichever question it answers decides. */
const SILENCE_MS = 3000;
const PROBE_MS_MAX = 60_000;
const [DISCOVER_ID, INITIALIZE_ID] = [1, 2];

/**
 * Finds out which era a server speaks, on a child that is ended after it: some servers end themselves on a question that they do not know. A child that
 * was only slow is not taken for one of the older era.
 */
export async function probeEra(start: (listener: ChildListener) => Promise<Child>): Promise<Era> {
  let decide: (era: Era) => void = () => undefined;
  const verdict = new Promise<Era>((resolve) => (decide = resolve));
  const child = await start({
    line: (bytes) => {
      const era = eraOf(bytes);
      if (era !== undefined) decide(era);
      return era !== undefined;
    },
    tooLong: () => undefined,
  });
  const meta = { [META_PROTOCOL_VERSION]: MODERN_VERSION, [META_CLIENT_INFO]: RUNNER_INFO, [META_CLIENT_CAPABILITIES]: {} };
  ask(child, DISCOVER_ID, 'server/discover', { _meta: meta });
  const silence = setTimeout(() => {
    ask(child, INITIALIZE_ID, 'initialize', { protocolVersion: PROTOCOL_VERSIONS.legacy[0], capabilities: {}, clientInfo: RUNNER_INFO });
  }, SILENCE_MS);
  let forget = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    forget = afterRunning(child, PROBE_MS_MAX, () => reject(new RpcFault('runner.start_failed')));
  });
  try {
    return await Promise.race([verdict, child.ended.then((): Era => 'legacy'), late]);
  } finally {
    clearTimeout(silence);
    forget();
    child.kill('The question which era it speaks was answered');
  }
}

function ask(child: Child, id: number, method: string, params: unknown): void {
  child.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
}

function eraOf(line: Buffer): Era | undefined {
  let message: unknown;
  try {
    message = parseJson(line.toString());
  } catch {
    return undefined;
  }
  if (!isJsonObject(message) || Object.hasOwn(message, 'method')) return undefined;
  const id = ownMember(message, 'id');
  if (id === INITIALIZE_ID) return 'legacy';
  if (id !== DISCOVER_ID) return undefined;
  const [result, error] = [ownMember(message, 'result'), ownMember(message, 'error')];
  const data = isJsonObject(error) ? ownMember(error, 'data') : undefined;
  const versions = isJsonObject(result) ? ownMember(result, 'supportedVersions') : isJsonObject(data) ? ownMember(data, 'supported') : undefined;
  return Array.isArray(versions) && versions.includes(MODERN_VERSION) ? 'modern' : 'legacy';
}
