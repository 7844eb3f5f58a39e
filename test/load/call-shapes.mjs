const MODERN = '2026-07-28';
export const LEGACY = '2025-11-25';
const clientInfo = { name: 'load-generator', version: '1.0.0' };
const meta = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': clientInfo,
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** What requests of one era look like: `headers(method, name)` are the era's own header lines, `params` adds what each request has to carry. */
export const callShapes = {
  modern: {
    headers: (method, name) => `mcp-protocol-version: ${MODERN}\r\nmcp-method: ${method}\r\n${name ? `mcp-name: ${name}\r\n` : ''}`,
    params: (params) => ({ ...params, _meta: { ...meta, ...params._meta } }),
  },
  legacy: { headers: () => '', params: (params) => params },
};

/** The handshake of the older era; later requests carry the header lines it gives. */
export async function openSession(connection) {
  const { result, headers } = await connection.request('initialize', { protocolVersion: LEGACY, capabilities: {}, clientInfo });
  const id = headers['mcp-session-id'];
  const lines = `mcp-protocol-version: ${result.protocolVersion}\r\n${id ? `mcp-session-id: ${id}\r\n` : ''}`;
  await connection.notify('notifications/initialized', lines);
  return lines;
}
