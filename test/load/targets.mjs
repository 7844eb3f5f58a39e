import { startLocalStack } from '../local-stack/start-local-stack.mjs';
import { grantEverything } from '../local-stack/grant-everything.mjs';
import { startNginx } from './start-nginx.mjs';
import { startScript } from './start-process.mjs';

export const LIST_TOOLS = 200;

/** For each node of a stack, the processes whose CPU is counted apart: the node itself, and what all nodes share. */
function groupsOf(pids) {
  const entries = Object.entries(pids);
  const rest = entries.filter(([name]) => !name.startsWith('gateway-')).map(([, pid]) => pid);
  return entries.filter(([name]) => name.startsWith('gateway-')).map(([, pid]) => ({ node: [pid], rest }));
}

/**
 * Everything that is measured: the fake server itself, proxies in front of it, and a stack whose node checks the agent's key, decides, and records
 * each call durably. Gives `{ targets, nodeTargets, stack, listKey, notes, stop }`, where the last of `targets` is the first of `nodeTargets`; a proxy
 * that this machine cannot have is missing from `targets` and told in `notes`.
 */
export async function startTargets({ nodes, settings, say }) {
  const parts = [];
  const keep = (part) => {
    parts.push(part);
    return part;
  };
  const stop = async () => {
    // What cannot be stopped keeps nothing else running.
    for (const part of parts.splice(0).reverse()) await part.stop().catch((error) => say(String(error)));
  };
  try {
    const upstream = keep(await startScript('upstream.mjs'));
    const rawNode = keep(await startScript('raw-node.mjs', ['--upstream', upstream.url]));
    const nginx = await startNginx(upstream.url, say).then(keep, (error) => ({ missing: error.message }));
    say('Starting a stack …');
    const stack = keep(await startLocalStack({ nodes, say }));
    if (Object.keys(settings).length > 0) await stack.api.settings.update(settings);
    const callKey = await grantEverything(stack.api, { slug: 'fake', url: `${upstream.url}/mcp`, agent: 'caller', kinds: ['tools'] });
    const lists = { slug: 'many', url: `${upstream.url}/tools/${LIST_TOOLS}/mcp`, agent: 'lister', kinds: ['tools'] };
    const listKey = await grantEverything(stack.api, lists);
    const watches = groupsOf(stack.pids);
    const nodeTargets = stack.gatewayUrls.map((url, index) => ({ url: `${url}/servers/fake/mcp`, token: callKey, watch: watches[index] }));
    const targets = [
      { name: 'direct', url: `${upstream.url}/mcp` },
      ...(nginx.missing ? [] : [{ name: 'nginx', url: `${nginx.url}/mcp`, watch: { node: [nginx.pid] } }]),
      { name: 'raw node', url: `${rawNode.url}/mcp`, watch: { node: [rawNode.pid] } },
      { name: 'portcullis', ...nodeTargets[0] },
    ];
    return { targets, nodeTargets, stack, listKey, notes: nginx.missing ? [nginx.missing] : [], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
