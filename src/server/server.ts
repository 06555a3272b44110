import { randomUUID } from 'node:crypto';
import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import websocket from '@fastify/websocket';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import { Type } from 'typebox';
import { TrailError } from '../core/error.ts';
import { checkTaskId } from '../core/id.ts';
import { BODY_BYTES, FRAME_IN_BYTES, HEARTBEAT_MS, URL_BYTES } from '../core/limits.ts';
import { keepAudit } from './audit.ts';
import { Access } from './auth/access.ts';
import { readJsonBodies } from './bodies.ts';
import type { Context, Routes, Scope } from './context.ts';
import { guard } from './guard.ts';
import { addHeaders, BARE_HEADERS } from './headers.ts';
import { Inflow } from './inflow.ts';
import { countRates } from './limits/rates.ts';
import { answerBrokenRequest, arrivalTimes, cutStalled } from './limits/slow.ts';
import { Streams } from './limits/streams.ts';
import type { ServerParts, TrailServer } from './parts.ts';
import { sendProblem } from './problem.ts';
import { RouteTable } from './route-table.ts';
import { aboutRoutes } from './routes/about.ts';
import { alertRoutes } from './routes/alerts.ts';
import { analyticsRoutes } from './routes/analytics.ts';
import { auditRoutes } from './routes/audit.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { deliveryLogRoutes } from './routes/delivery-log.ts';
import { describeRoutes, docRoutes } from './routes/docs.ts';
import { downloadRoutes } from './routes/download.ts';
import { healthRoutes } from './routes/health.ts';
import { ingestRoutes, partialRoutes } from './routes/ingest.ts';
import { figureRoutes, logRoutes } from './routes/logs.ts';
import { outlineRoutes } from './routes/outline.ts';
import { pageRoutes } from './routes/page.ts';
import { partRoutes } from './routes/parts.ts';
import { patternRoutes, taskPatternRoutes } from './routes/patterns.ts';
import { plainRoutes } from './routes/plain.ts';
import { pluginRoutes } from './routes/plugins.ts';
import { redactRoutes } from './routes/redact.ts';
import { retentionRoutes } from './routes/retention.ts';
import { lineFacetRoutes, searchRoutes } from './routes/search.ts';
import { sessionRoutes } from './routes/session.ts';
import { settingsRoutes } from './routes/settings.ts';
import { shareRoutes } from './routes/shares.ts';
import { socketRoutes } from './routes/socket.ts';
import { storageRoutes } from './routes/storage.ts';
import { taskActionRoutes } from './routes/task-actions.ts';
import { taskRoutes } from './routes/tasks.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { Turns } from './turns.ts';
import { validatorCompiler } from './validation.ts';

/** Requests under way get this long when the server closes. */
const CLOSE_MS = 3_000;

/** Put routes, guard and formats together. Nothing listens until `listen` is called. */
export async function createServer(parts: ServerParts): Promise<TrailServer> {
  const closing = new AbortController();
  const context: Context = {
    ...parts,
    closing: closing.signal,
    access: await Access.open(parts),
    heartbeatMs: parts.settings.heartbeatMs ?? HEARTBEAT_MS,
    inflow: new Inflow(),
    streams: new Streams(),
    searches: new Turns(),
    counters: { filtered: 0 },
  };
  const app = newApp(parts);
  const table = new RouteTable(app);
  app.setValidatorCompiler(validatorCompiler);
  // Answers are held to their schemas by tests; at run time they leave as they are, so that no field is lost on the way.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) => sendProblem(table.faultOf(request, reply), request, reply));
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async ({ log, method, url }, { statusCode, elapsedTime }) => {
    log.debug({ method, path: pathOf(url), status: statusCode, ms: Math.round(elapsedTime) }, 'request');
  });
  app.addHook('onClose', () => context.access.close());
  keepAudit(app, context);
  readJsonBodies(app);
  await addHeaders(app);
  app.addHook('onRequest', async ({ url }) => {
    if (url.length <= URL_BYTES) return;
    throw new TrailError('url_too_long', `expected at most ${URL_BYTES} bytes of path and query`);
  });
  cutStalled(app, parts.settings);
  await app.register(compress, {
    encodings: ['zstd', 'gzip', 'deflate'],
    threshold: 1024,
    // Bodies are inflated by bodies.ts, within its limit.
    globalDecompression: false,
  });
  await app.register(cookie);
  await app.register(websocket, {
    options: { maxPayload: FRAME_IN_BYTES, handleProtocols: chosenProtocol },
    preClose: (done) => done(),
  });
  const rates = await countRates(app, parts.settings);
  rates.beforeGuard();
  guard(app, parts.settings, context.access);
  rates.afterGuard();
  await describeRoutes(app, context);
  await addRoutes(app, context);
  return { app, routes: table.routes, listen: (at) => listen(app, at), close: once(() => close(app, closing)) };
}

function newApp({ logger, settings }: ServerParts): FastifyInstance {
  const { trustProxy } = settings;
  const app = fastify({
    ...(logger && { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES,
    trustProxy: typeof trustProxy === 'string' ? trustProxy : trustProxy ? [...trustProxy] : false,
    genReqId: () => randomUUID(),
    // Long ids are refused by us, with a reason, not by the router.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16_384 },
    ...arrivalTimes(settings),
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) => {
      // The router gave up before any hook ran: these answers tell nothing but the fault.
      sendProblem(error, request, reply.headers(BARE_HEADERS));
    },
    clientErrorHandler: answerBrokenRequest,
  });
  return app;
}

async function addRoutes(app: FastifyInstance, context: Context): Promise<void> {
  const plain: readonly Routes[] = [
    taskRoutes,
    taskActionRoutes,
    figureRoutes,
    partRoutes,
    downloadRoutes,
    partialRoutes,
    lineFacetRoutes,
    taskPatternRoutes,
    outlineRoutes,
  ];
  for (const prefix of ['/api/tasks', '/tasks']) {
    const marked = prefix === '/tasks';
    await app.register(
      async (unready) => {
        const scope = unready.withTypeProvider<TypeBoxTypeProvider>();
        scope.addHook('preValidation', checkTaskParam);
        refuseUnknownQueries(scope);
        if (marked) hideRoutes(scope);
        for (const routes of plain) routes(scope, context);
        logRoutes(scope, context, { marked });
        await scope.register(async (bytes) => ingestRoutes(bytes as Scope, context));
      },
      { prefix },
    );
  }
  await app.register(async (unready) => {
    const scope = unready.withTypeProvider<TypeBoxTypeProvider>();
    refuseUnknownQueries(scope);
    healthRoutes(scope, context);
    searchRoutes(scope, context);
    patternRoutes(scope, context);
    pluginRoutes(scope, context);
    redactRoutes(scope, context);
    settingsRoutes(scope, context);
    storageRoutes(scope, context);
    retentionRoutes(scope, context);
    aboutRoutes(scope, context);
    analyticsRoutes(scope, context);
    webhookRoutes(scope, context);
    alertRoutes(scope, context);
    tokenRoutes(scope, context);
    sessionRoutes(scope, context);
    shareRoutes(scope, context);
    auditRoutes(scope, context);
    deliveryLogRoutes(scope, context);
    plainRoutes(scope, context);
    await scope.register(async (bytes) => deliveryRoutes(bytes as Scope, context));
  });
  socketRoutes(app, context);
  await docRoutes(app, context);
  await pageRoutes(app, context);
}

async function checkTaskParam({ params }: { params: unknown }): Promise<void> {
  const { task_id: taskId } = params as { task_id?: string };
  if (taskId !== undefined) checkTaskId(taskId);
}

/** A route that names no query parameters has none. */
function refuseUnknownQueries(scope: Scope): void {
  scope.addHook('onRoute', (route) => {
    route.schema = { querystring: NO_QUERY, ...route.schema };
  });
}

const NO_QUERY = Type.Object({});

/** The same routes by their older names: described once is enough. */
function hideRoutes(scope: Scope): void {
  scope.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true };
  });
}

/** Without its query, which may hold what somebody searched for, and without what opens a link to a task. */
function pathOf(url: string): string {
  return (url.split('?', 1)[0] ?? '').replace(/tts_.*/, '…');
}

/** A client that offers a token as subprotocol expects one of its offers back; the token itself is not repeated if it can be helped. */
function chosenProtocol(offered: Set<string>): string | false {
  return [...offered].find((name) => !name.startsWith('tasktrail.bearer.')) ?? [...offered][0] ?? false;
}

async function listen(
  app: FastifyInstance,
  { host, port }: { host: string; port: number },
): Promise<{ url: string; port: number }> {
  await app.listen({ host, port, listenTextResolver: (at) => `listens on ${at}` });
  const address = app.server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  const name = host.includes(':') ? `[${host}]` : host;
  return { url: `http://${name}:${taken}`, port: taken };
}

/** Streams and sockets end first, or the server would wait for them; what is still under way after a while is cut. */
async function close(app: FastifyInstance, closing: AbortController): Promise<void> {
  closing.abort();
  const cut = setTimeout(() => {
    for (const client of app.websocketServer.clients) client.terminate();
    app.server.closeAllConnections();
  }, CLOSE_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= act();
    return done;
  };
}
