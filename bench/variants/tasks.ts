/* The list of tasks over HTTP: node tasks.ts TASKS. */
import { join } from 'node:path';
import { type Task, TASK_SORTS } from '../../src/core/query.ts';
