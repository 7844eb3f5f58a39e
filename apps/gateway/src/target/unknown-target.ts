import { isJsonObject, ownMember, type ClassifiedRequest } from '@portcullis/mcp';
import { rpcError } from '../reply/error-message.js';

const NAME_CHARS_MAX = 128;

/**
 * The answer for a target that the agent cannot use: one text for what does not exist, was not granted, is disabled, not approved or
 * misnamed. It depends on nothing but the request. A longer name than any target has is not echoed.
 */
export function unknownTarget(call: ClassifiedRequest, asked: string): string {
  const echo = asked.length <= NAME_CHARS_MAX ? asked : '';
  switch (call.method) {
    case 'resources/read':
    case 'resources/subscribe':
      return rpcError(call.id, {
        code: call.era === 'legacy' ? -32002 : -32602,
        message: 'Resource not found',
        data: { uri: asked.length <= 2048 ? asked : '' },
      });
    case 'completion/complete':
      return rpcError(call.id, { code: -32602, message: completesPrompt(call) ? `Unknown prompt: ${echo}` : 'Resource not found' });
    case 'prompts/get':
      return rpcError(call.id, { code: -32602, message: `Unknown prompt: ${echo}` });
    default:
      return rpcError(call.id, { code: -32602, message: `Unknown tool: ${echo}` });
  }
}

function completesPrompt({ params }: ClassifiedRequest): boolean {
  const reference = params && ownMember(params, 'ref');
  return isJsonObject(reference) && ownMember(reference, 'type') === 'ref/prompt';
}
