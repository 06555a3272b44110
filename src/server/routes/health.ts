import { Type } from 'typebox';
import { isEnded, STATUSES } from '../../core/status.ts';
import type { Context, Routes } from '../context.ts';
import { answers } from '../schemas.ts';

const HealthAnswer = Type.Object({
  status: Type.Enum(['healthy', 'unhealthy']),
  service: Type.String(),
  store: Type.String(),
  redis: Type.Union([Type.String(), Type.Null()]),
  uptime_seconds: Type.Number(),
  version: Type.String(),
});
/** Figures of parts that are not switched on are null. */
const figure = Type.Union([Type.Number(), Type.Null()]);
const MetricsAnswer = Type.Object({
  queue_depth: figure,
  queue_lag: Type.Number({ description: 'Seconds since the oldest queued task was made' }),
  pending: figure,
  dead: figure,
  stream_lag: figure,
  events_processed_total: figure,
  events_lost_total: figure,
  tasks_processed: Type.Number(),
  tasks_by_status: Type.Record(Type.String(), Type.Number()),
  entries_total: Type.Number({ description: 'Lines that were ever stored' }),
  filtered_total: Type.Number(),
  lost_total: Type.Number({ description: 'Lines that could not be kept' }),
  directory_failures_total: figure,
  redactions_total: Type.Record(Type.String(), Type.Number(), { description: 'Secrets that were masked, by kind' }),
  uptime_seconds: Type.Number(),
});

/** How the server is doing, for people, load balancers and Prometheus. */
export const healthRoutes: Routes = (scope, context) => {
  const startedAtMs = context.clock.now();
  const uptimeSeconds = (): number => Math.max(0, Math.round(context.clock.now() - startedAtMs) / 1000);
  for (const url of ['/health', '/ready']) {
    scope.get(
      url,
      {
        config: { open: true },
        schema: {
          tags: ['server'],
          summary: url === '/health' ? 'Whether the server is well' : 'Whether the server takes requests',
          response: answers({ 200: HealthAnswer, 503: HealthAnswer }),
        },
      },
      async (_request, reply) => {
        const { healthy, store, redis } = await context.health();
        return reply
          .code(healthy ? 200 : 503)
          .header('cache-control', 'no-store')
          .send({
            status: healthy ? 'healthy' : 'unhealthy',
            service: 'tasktrail',
            store,
            redis,
            uptime_seconds: uptimeSeconds(),
            version: context.version,
          });
      },
    );
  }
  scope.get(
    '/metrics',
    {
      schema: {
        tags: ['server'],
        summary: 'Figures as Prometheus text, or as JSON for Accept: application/json',
        response: answers({ 200: MetricsAnswer }),
      },
    },
    async (request, reply) => {
      const metrics = await metricsOf(context, uptimeSeconds());
      if (request.headers.accept?.includes('application/json')) return reply.send(metrics);
      return reply
        .type('text/plain; version=0.0.4; charset=utf-8')
        .serializer((text: unknown) => String(text))
        .send(prometheusText(metrics) as never);
    },
  );
};

async function metricsOf(context: Context, uptimeSeconds: number) {
  const { store, intake, clock, counters, directoryFailures, eventFigures } = context;
  const [{ status }, { entries, lost }, oldest, redactions, events] = await Promise.all([
    store.taskFacets({}),
    store.totals(),
    store.tasks({ status: ['queued'], sort: 'created_at', order: 'asc', limit: 1 }),
    intake.redactions(),
    eventFigures?.(),
  ]);
  const sinceMs = oldest.tasks.map(({ createdAt }) => clock.now() - Date.parse(createdAt));
  const ended = STATUSES.filter(isEnded);
  return {
    queue_depth: status.queued ?? 0,
    queue_lag: Math.max(0, ...sinceMs) / 1000,
    pending: events?.pending ?? null,
    dead: events?.dead ?? null,
    stream_lag: events?.lag ?? null,
    events_processed_total: events?.processed ?? null,
    events_lost_total: events?.lost ?? null,
    tasks_processed: ended.reduce((sum, name) => sum + (status[name] ?? 0), 0),
    tasks_by_status: { ...status },
    entries_total: entries,
    filtered_total: counters.filtered,
    lost_total: lost,
    directory_failures_total: directoryFailures?.() ?? null,
    redactions_total: { ...redactions },
    uptime_seconds: uptimeSeconds,
  };
}

/** Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats). Statuses and kinds are plain words. */
function prometheusText(metrics: Awaited<ReturnType<typeof metricsOf>>): string {
  const { tasks_by_status: byStatus, redactions_total: byKind, ...figures } = metrics;
  const lines = Object.entries(figures)
    .filter(([, value]) => value !== null)
    .flatMap(([name, value]) => [
      `# TYPE tasktrail_${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}`,
      `tasktrail_${name} ${value}`,
    ]);
  const tasks = Object.entries(byStatus).map(([status, count]) => `tasktrail_tasks{status="${status}"} ${count}`);
  const redactions = Object.entries(byKind).map(
    ([kind, count]) => `tasktrail_redactions_total{kind="${kind}"} ${count}`,
  );
  const labelled = [
    '# TYPE tasktrail_tasks gauge',
    ...tasks,
    '# TYPE tasktrail_redactions_total counter',
    ...redactions,
  ];
  return `${[...lines, ...labelled].join('\n')}\n`;
}
