import { listCalls } from '../../../apps/control-plane/dist/audit/audit.repository.js';
import { aggregateCalls, pairsOf } from '../../../apps/control-plane/dist/audit/reports.repository.js';

const DAY_MS = 86_400_000;
const PAGE = { limit: 50 };

/**
 * What auditors ask, by name: how it is asked over REST, and, where it is one statement, how a database is asked for it, so that its plan can be had.
 * @returns {Promise<{ name: string, ask: () => Promise<{ rows: number, isMore: boolean }>, query?: (database: object) => Promise<unknown> }[]>}
 */
export async function questionsAbout({ api, database, trail }) {
  const middle = new Date((trail.from.getTime() + trail.to.getTime()) / 2);
  const [some] = await database.$queryRaw`SELECT call_id::text AS id, trace_id, convert_from(arguments, 'UTF8') AS text FROM audit_event
    WHERE at > ${middle} AND trace_id IS NOT NULL AND arguments IS NOT NULL ORDER BY call_id LIMIT 1`;
  return [...searches(api, middle, some), ...readings(api, some, trail), ...sums(api, trail)];
}

function searches(api, middle, some) {
  const day = { from: new Date(middle.getTime() - DAY_MS / 2).toISOString(), to: new Date(middle.getTime() + DAY_MS / 2).toISOString() };
  const asked = [
    ['newest', {}],
    ['a day', day],
    ['a busy agent', { agent: 'agent-0' }],
    ['a quiet agent', { agent: 'agent-990' }],
    ['an agent that is not there', { agent: 'nobody' }],
    ['an owner (25 agents)', { owner: 'owner-7' }],
    ['a group of ten', { group: 'few' }],
    ['a group of two hundred', { group: 'many' }],
    ['a server', { server: 'server-7' }],
    ['a tool', { tool: 'tool_3' }],
    ['server and tool', { server: 'server-7', tool: 'tool_3' }],
    ['refused', { decision: 'deny' }],
    ['timed out at a server', { server: 'server-1', status: 'timeout' }],
    ['failed, on a day', { status: 'tool_error', ...day }],
    ['an agent, longer than 2 s', { agent: 'agent-0', durationMsMin: 2000 }],
    ['longer than 2.9 s', { durationMsMin: 2900 }],
    ['a trace', { traceId: some.trace_id }],
    ['a revision', { revision: 3 }],
    ['text in arguments, of an agent and a day', { agent: 'agent-0', argumentsText: 'abc', ...day }],
    ['text in results, of a server', { server: 'server-7', resultText: 'fff' }],
    ['text in arguments, nowhere', { argumentsText: 'not to be found' }],
    ['text anywhere, one match', { q: JSON.parse(some.text).query }],
  ];
  const ofPage = ({ items, nextCursor }) => ({ rows: items.length, isMore: nextCursor !== null });
  return asked.map(([name, filter]) => ({
    name,
    ask: async () => ofPage(await api.audit.events.page(filter)),
    query: (tx) => listCalls(tx, filter, PAGE),
  }));
}

function readings(api, some, { to }) {
  const from = new Date(to.getTime() - DAY_MS).toISOString();
  const ofPage = ({ items, nextCursor }) => ({ rows: items.length, isMore: nextCursor !== null });
  return [
    { name: 'the story of a call', ask: async () => ({ rows: (await api.audit.call(some.id)).events.length, isMore: false }) },
    { name: 'timeline of an agent', ask: async () => ofPage(await api.audit.timeline.page({ agent: 'agent-500', from })) },
    { name: 'timeline of a trace', ask: async () => ofPage(await api.audit.timeline.page({ traceId: some.trace_id })) },
    { name: 'integrity', ask: async () => ({ rows: (await api.audit.integrity.page({})).items.length, isMore: false }) },
  ];
}

function sums(api, { to }) {
  const since = (days) => ({ from: new Date(to.getTime() - days * DAY_MS), to });
  const said = ({ from, to: end, ...rest }) => ({ ...rest, from: from.toISOString(), to: end.toISOString() });
  const ofRows = ({ rows, truncated = false }) => ({ rows: rows.length, isMore: truncated });
  const aggregate = (by, days, named = {}) => ({
    name: `calls by ${by}, ${days} days${Object.keys(named).length > 0 ? `, of one ${Object.keys(named).join()}` : ''}`,
    ask: async () => ofRows(await api.audit.aggregates({ by, ...said({ ...since(days), ...named }) })),
    query: (tx) => aggregateCalls(tx, { ...since(days), ...named }, { by, limit: 100 }),
  });
  const pairs = (isNew, days) => ({
    name: `${isNew ? 'new' : 'top'} pairs of agent and tool, ${days} days`,
    ask: async () => ofRows(await api.audit.pairs({ isNew: String(isNew), ...said(since(days)) })),
    query: (tx) => pairsOf(tx, since(days), { onlyNew: isNew, limit: 100 }),
  });
  const costs = (by, days, named = {}) => ({
    name: `costs by ${by}, ${days} days${Object.keys(named).length > 0 ? `, of one ${Object.keys(named).join()}` : ''}`,
    ask: async () => ofRows(await api.costs.read({ by, ...said({ ...since(days), ...named }) })),
  });
  return [
    ...['agent', 'server', 'tool', 'hour'].map((by) => aggregate(by, 1)),
    ...['agent', 'server', 'tool', 'hour'].map((by) => aggregate(by, 30)),
    aggregate('tool', 30, { agent: 'agent-0' }),
    aggregate('hour', 30, { server: 'server-7' }),
    pairs(false, 1),
    pairs(true, 1),
    pairs(false, 30),
    costs('agent', 1),
    costs('agent', 30),
    costs('group', 30),
    costs('tool', 30, { agent: 'agent-0' }),
  ];
}
