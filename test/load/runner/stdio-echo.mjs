// A stdio server that costs as little as can be: answers tools/call with what it was given, by one line for one line.
let rest = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop();
  const answers = [];
  for (const line of lines) {
    const { id, method, params } = JSON.parse(line);
    if (method === 'tools/call') answers.push({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: params.arguments.text }] } });
    else if (method === 'tools/list') answers.push({ jsonrpc: '2.0', id, result: { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] } });
    else if (method === 'initialize') {
      const serverInfo = { name: 'stdio-echo', version: '1' };
      answers.push({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo } });
    } else if (id !== undefined) answers.push({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } });
  }
  if (answers.length > 0) process.stdout.write(answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''));
});
