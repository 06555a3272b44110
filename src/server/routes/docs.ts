import { readFile } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { TrailError } from '../../core/error.ts';
import type { Context } from '../context.ts';
import { LIMITS } from '../limits/table.ts';

/** Both document readers make their own style elements; neither needs a script of the page. */
const READER_CSP = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      workerSrc: ["'self'", 'blob:'],
      objectSrc: ["'none'"],
      baseUri: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
};

const REDOC_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>tasktrail API</title><meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><div id="redoc"></div><script src="redoc/bundle.js"></script><script src="redoc/start.js"></script></body>
</html>
`;
const REDOC_START = `Redoc.init('openapi.json', { hideDownloadButtons: false }, document.getElementById('redoc'));\n`;

/** Must come before the routes that it is to describe. */
export async function describeRoutes(app: FastifyInstance, { version, settings }: Context): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'tasktrail',
        version,
        description:
          'The flight recorder for AI-agent runs and background jobs. Every route below /api/tasks also answers below /tasks, ' +
          'and every route with and without a trailing slash. Failures are RFC 9457 problem details; `x-limits` lists what is ' +
          'bounded and the code by which each bound shows.',
        license: { name: 'MIT' },
      },
      tags: [
        { name: 'tasks', description: 'Make, list, read, change and delete tasks' },
        { name: 'task actions', description: 'Move a task along' },
        { name: 'lines', description: 'Append, read, follow and download lines' },
        { name: 'parts', description: 'A task as the files of its directory tell it' },
        { name: 'webhooks', description: 'What starts tasks from outside, and what came in' },
        { name: 'alerts', description: 'Who is told of what is logged' },
        { name: 'audit', description: 'Who changed what' },
        { name: 'access', description: 'Tokens, sessions, and links to one task' },
        { name: 'settings', description: 'What is logged, changed while the server runs' },
        { name: 'server', description: 'Health and figures' },
      ],
      ...({ 'x-limits': LIMITS } as object),
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          session: { type: 'apiKey', in: 'cookie', name: 'tasktrail_session' },
        },
      },
      security: [{ token: [] }, { session: [] }],
      ...(settings.publicUrl !== undefined && { servers: [{ url: settings.publicUrl }] }),
    },
  });
}

/** `/openapi.json`, Swagger UI at `/docs`, ReDoc at `/redoc`: open to everybody, for they hold nothing of ours. */
export async function docRoutes(app: FastifyInstance, { redocFile }: Context): Promise<void> {
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, open: true };
      route.schema = { ...route.schema, hide: true };
      route.helmet = READER_CSP;
    });
    scope.get('/openapi.json', async (_request, reply) => reply.send(app.swagger()));
    scope.get('/redoc', async (request, reply) => {
      if (redocFile === undefined) throw new TrailError('not_implemented', 'this server has no ReDoc; see /docs');
      return reply.type('text/html; charset=utf-8').send(redocPage(request.url));
    });
    scope.get('/redoc/start.js', async (_request, reply) =>
      reply.type('text/javascript; charset=utf-8').send(REDOC_START),
    );
    scope.get('/redoc/bundle.js', async (_request, reply) => {
      if (redocFile === undefined) throw new TrailError('not_implemented', 'this server has no ReDoc; see /docs');
      return reply.type('text/javascript; charset=utf-8').send(await readFile(redocFile));
    });
    await scope.register(swaggerUi, { routePrefix: '/docs', logo: null as never });
  });
}

/** Links are relative, so that they hold below a path prefix; with a trailing slash they start one step higher. */
function redocPage(url: string): string {
  const slash = (url.split('?')[0] ?? '').endsWith('/');
  return slash ? REDOC_PAGE.replace('<head>', '<head><base href="../">') : REDOC_PAGE;
}
