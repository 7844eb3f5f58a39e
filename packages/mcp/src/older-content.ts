import { isJsonObject, ownMember, type JsonObject } from './json-value.js';

/** Content that came with a later revision, by the first that has it: clients of earlier ones refuse a whole result for one such block. */
const SINCE: Readonly<Record<string, string>> = { audio: '2025-03-26', resource_link: '2025-06-18' };
const NEWEST_SINCE = '2025-06-18';

/** Whether every kind of content may be shown to clients of this revision. */
export const carriesAllContent = (version: string): boolean => version >= NEWEST_SINCE;

/** A tool's or prompt's result as clients of this revision can read it: text stands in for content that they do not know. */
export function contentFor(version: string, result: JsonObject): JsonObject {
  if (carriesAllContent(version)) return result;
  const content = ownMember(result, 'content');
  const messages = ownMember(result, 'messages');
  if (Array.isArray(content)) {
    const adapted = content.map((block: unknown) => blockFor(version, block));
    return adapted.every((block, at) => block === content[at]) ? result : { ...result, content: adapted };
  }
  if (!Array.isArray(messages)) return result;
  const adapted = messages.map((message: unknown) => messageFor(version, message));
  return adapted.every((message, at) => message === messages[at]) ? result : { ...result, messages: adapted };
}

function messageFor(version: string, message: unknown): unknown {
  if (!isJsonObject(message)) return message;
  const content = ownMember(message, 'content');
  const adapted = blockFor(version, content);
  return adapted === content ? message : { ...message, content: adapted };
}

function blockFor(version: string, block: unknown): unknown {
  if (!isJsonObject(block)) return block;
  const type = ownMember(block, 'type');
  const since = typeof type === 'string' && Object.hasOwn(SINCE, type) ? SINCE[type] : undefined;
  return since === undefined || version >= since ? block : { type: 'text', text: textFor(block, type as string) };
}

function textFor(block: JsonObject, type: string): string {
  const said = (member: string): string => {
    const value = ownMember(block, member);
    return typeof value === 'string' ? value : '';
  };
  if (type === 'audio') return `[${said('mimeType') || 'audio'}, which this client cannot play]`;
  return [said('title') || said('name'), said('uri'), said('description')].filter((text) => text !== '').join('\n');
}
