import type { AgentAt } from './agent-request.js';
import type { Stack } from './stack.js';

/** Of whose tools each agent of the demo was granted some. */
export const serversOf = {
  'code-review-agent': ['github'],
  'data-agent': ['postgres'],
  'comms-agent': ['slack'],
  'notes-agent': ['files', 'memory'],
} as const;

export type DemoAgent = keyof typeof serversOf;
export const demoAgents = Object.keys(serversOf) as DemoAgent[];

/** An agent at a node, the first unless told otherwise. */
export function agentAt(stack: Stack, slug: DemoAgent, gatewayUrl = stack.gatewayUrls[0]): AgentAt {
  const key = stack.agents[slug];
  if (key === undefined || gatewayUrl === undefined) throw new Error(`The stack has no agent ${slug}; start it with --demo.`);
  return { slug, key, gatewayUrl };
}
