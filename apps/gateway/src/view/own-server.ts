import { hash } from 'node:crypto';
import { OWN_SERVER_ID, OWN_TOOLS } from '@portcullis/contracts/names';
import type { DefinitionEntry, ServerEntry } from '@portcullis/contracts/snapshot';

function tool(definition: { readonly name: string } & Readonly<Record<string, unknown>>): DefinitionEntry {
  const json = JSON.stringify(definition);
  return { kind: 'tool', name: definition.name, hash: hash('sha256', json, 'hex'), json };
}

const text = (description: string): object => ({ type: 'string', description });

const requestAccess = tool({
  name: OWN_TOOLS.request,
  title: 'Request access',
  description:
    'Ask for access to a tool that you do not have. A person decides, so the answer comes later: keep the id and look it up with access_requests. Once it is approved, the tool appears in your list of tools for as long as was granted.',
  inputSchema: {
    type: 'object',
    properties: {
      tool: text('The tool as server:tool, for example github:create_issue.'),
      reason: text('Why you need it, in a sentence that the person who decides can judge.'),
      duration: text('For how long, as a number and m, h or d. 8h when left out.'),
    },
    required: ['tool', 'reason'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
});

const accessRequests = tool({
  name: OWN_TOOLS.look,
  title: 'Access requests',
  description: 'Look up what became of your requests for access: all recent ones, or one by its id.',
  inputSchema: {
    type: 'object',
    properties: { id: text('Id of one request, from request_access.') },
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
});

/** The gateway as one more server, whose tools are granted, listed, named and recorded like those of others. */
export const ownServer: ServerEntry = {
  id: OWN_SERVER_ID,
  slug: 'portcullis',
  url: '',
  enabled: true,
  era: null,
  tags: [],
  environment: null,
  instructions: null,
  capabilitiesJson: '{}',
  limits: { concurrency: 1, firstByteTimeoutMs: 1, totalTimeoutMs: 1, resultBytesMax: 1 },
  definitions: [accessRequests, requestAccess],
};
