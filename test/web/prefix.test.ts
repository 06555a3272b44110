import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { noBrowser, rowsOf, visit } from './support.ts';

const PREFIX = '/some/logs';

/** What stands before a server below a path prefix: it takes the prefix off; the server knows it from its setting. */
async function proxy(t: TestContext, port: number): Promise<string> {
  const server: Server = createServer((incoming, answer) => {
    const outgoing = request(
      { port, path: inner(incoming), method: incoming.method, headers: incoming.headers },
      (reply) => {
        answer.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(answer);
      },
    );
    incoming.pipe(outgoing);
  });
  server.on('upgrade', (incoming, socket) => {
    const server = connect(port, '127.0.0.1', () => {
      const headers = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${value}`);
      server.write(`GET ${inner(incoming)} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
      socket.pipe(server).pipe(socket);
    });
    for (const end of [socket, server]) end.on('error', () => end.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}${PREFIX}`;
}

function inner({ url = '' }: IncomingMessage): string {
  return url.startsWith(`${PREFIX}/`) ? url.slice(PREFIX.length) : '/outside-the-prefix';
}

test('below a path prefix the page, its links, its requests and its socket work', { skip: noBrowser }, async (t) => {
  const { site, page } = await visit(t, {}, { publicUrl: `https://example.org${PREFIX}/` });
  const base = await proxy(t, Number(new URL(site.url).port));
  await site.task({ taskId: 'demo', title: 'Behind a proxy' });
  await page.goto(`${base}/`);
  await page.locator('[data-connection=live]').waitFor();
  await page.getByRole('link', { name: 'Behind a proxy' }).click();
  await page.waitForURL(`${base}/t/demo`);
  await page.getByText('No lines yet').waitFor();
  await page.locator('[data-connection=live]').waitFor();
  await site.lines('demo', ['through the proxy']);
  await rowsOf(page).filter({ hasText: 'through the proxy' }).waitFor();
  await page.reload();
  await rowsOf(page).filter({ hasText: 'through the proxy' }).waitFor();
  await page.getByRole('link', { name: 'Tasks', exact: true }).first().click();
  await page.locator('tr[data-task=demo]').waitFor();
});
