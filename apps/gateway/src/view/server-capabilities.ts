import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { isJsonObject, ownMember, type JsonObject } from '@portcullis/mcp';

const read = new WeakMap<ServerEntry, JsonObject>();
const NONE: JsonObject = {};

/** What a server declared that it can do, read once from the snapshot. */
function capabilitiesOfServer(server: ServerEntry): JsonObject {
  const known = read.get(server);
  if (known !== undefined) return known;
  let declared: unknown;
  try {
    declared = JSON.parse(server.capabilitiesJson);
  } catch {
    declared = undefined;
  }
  const capabilities = isJsonObject(declared) ? declared : NONE;
  read.set(server, capabilities);
  return capabilities;
}

/** Whether a server says that it can do this; one whose words cannot be read can do nothing. */
export function serverDeclares(server: ServerEntry, capability: 'completions' | 'logging'): boolean {
  return isJsonObject(ownMember(capabilitiesOfServer(server), capability));
}
