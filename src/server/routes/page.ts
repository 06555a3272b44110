import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';

/** Places of the page; it finds out itself what to show there. */
const PLACES = ['/', '/t/:task_id', '/search', '/costs', '/settings'];

const HINT = `tasktrail is running, but its web page is not built.

  Build it:      npm run build
  Try the API:   curl -s -X POST -H 'content-type: application/json' -d '{"title":"hello"}' BASE/api/tasks
  Read about it: BASE/docs
`;

/** The web page's files, open to everybody: what they show is asked for with a token. */
export async function pageRoutes(app: FastifyInstance, { webDir, settings }: Context): Promise<void> {
  const prefix = settings.publicUrl === undefined ? '' : new URL(settings.publicUrl).pathname.replace(/\/+$/, '');
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, open: true };
      route.schema = { ...route.schema, hide: true };
    });
    scope.get('/admin/settings', async (_request, reply) => reply.redirect(`${prefix}/settings#logging`));
    if (webDir === undefined) {
      for (const place of PLACES) {
        scope.get(place, async (request, reply) =>
          reply
            .type('text/plain; charset=utf-8')
            .send(HINT.replaceAll('BASE', `${request.protocol}://${request.host}`)),
        );
      }
      return;
    }
    await scope.register(fastifyStatic, {
      root: webDir,
      wildcard: false,
      index: false,
      // Built files bear a hash in their names; the page itself names them, so it is asked for each time.
      setHeaders: (reply, path) => {
        const forever = path.includes('/assets/');
        reply.header('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
      cacheControl: false,
    });
    for (const place of PLACES) {
      scope.get(place, async (_request, reply) => {
        const html = await readFile(join(webDir, 'index.html'), 'utf8');
        return reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(prefixed(html, prefix));
      });
    }
  });
}

/** The page told of the path below which a proxy offers it: in its meta tag, and before each of its files. */
function prefixed(html: string, prefix: string): string {
  if (prefix === '') return html;
  // The setting is the operator's, but it goes into markup.
  const safe = encodeURI(decodeURI(prefix)).replaceAll("'", '%27');
  return html.replace('content="/"', `content="${safe}/"`).replaceAll('="/assets/', `="${safe}/assets/`);
}
