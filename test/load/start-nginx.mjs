import { execFile, spawn } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '@portcullis/local-services';
import { endWithUs } from './end-with-us.mjs';

const run = promisify(execFile);
const home = fileURLToPath(new URL('../../.local/nginx', import.meta.url));
const WAIT_MS_MAX = 5_000;

/** nginx with one worker and upstream keep-alive, the physical limit of a proxy hop: `{ url, pid, stop }`. Rejects, saying why, where there is none. */
export async function startNginx(upstream, say) {
  const program = await findNginx(say);
  const prefix = await mkdtemp(join(tmpdir(), 'portcullis-nginx-'));
  const port = await freePort();
  await writeFile(join(prefix, 'nginx.conf'), configuration(new URL(upstream).host, port));
  const child = endWithUs(spawn(program, ['-p', prefix, '-e', 'stderr', '-c', 'nginx.conf'], { stdio: ['ignore', 'ignore', 'inherit'] }));
  const ended = new Promise((resolve) => child.once('close', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(prefix, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  for (const end = performance.now() + WAIT_MS_MAX; ; await pause(50)) {
    const answers = await fetch(`${url}/mcp`).then(
      () => true,
      () => false,
    );
    if (answers) return { url, pid: child.pid, stop };
    if (child.exitCode === null && performance.now() < end) continue;
    await stop();
    throw new Error('nginx was found and does not start; it is left out.');
  }
}

/** From PATH, or Debian's own package unpacked beside the checkout's other caches: nothing is installed and no root is needed. */
async function findNginx(say) {
  for (const program of ['nginx', join(home, 'usr/sbin/nginx')]) if (await runs(program)) return program;
  const work = await mkdtemp(join(tmpdir(), 'portcullis-nginx-'));
  try {
    say("Fetching Debian's nginx, for the comparison …");
    await run('apt-get', ['-qq', 'download', 'nginx'], { cwd: work });
    const [archive] = await readdir(work);
    await run('dpkg-deb', ['-x', join(work, archive), join(work, 'root')]);
    await mkdir(join(home, '..'), { recursive: true });
    await rename(join(work, 'root'), home).catch(async (error) => access(home).catch(() => Promise.reject(error)));
  } catch {
    throw new Error('nginx is neither on PATH nor to be had as a Debian package; it is left out.');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  if (await runs(join(home, 'usr/sbin/nginx'))) return join(home, 'usr/sbin/nginx');
  throw new Error("Debian's nginx does not run on this machine; it is left out.");
}

const runs = (program) =>
  run(program, ['-v']).then(
    () => true,
    () => false,
  );

const configuration = (upstream, port) => `
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 16384; }
http {
  access_log off;
  client_body_buffer_size 2m;
  client_max_body_size 32m;
  client_body_temp_path client_temp;
  proxy_temp_path proxy_temp;
  fastcgi_temp_path fastcgi_temp;
  uwsgi_temp_path uwsgi_temp;
  scgi_temp_path scgi_temp;
  keepalive_requests 100000000;
  proxy_buffers 64 32k;
  upstream mcp { server ${upstream}; keepalive 256; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://mcp;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;
