import { existsSync } from 'node:fs';

const sources = new URL('../src/index.ts', import.meta.url);

export const { startRegistry } = await import(existsSync(sources) ? sources.href : '../dist/index.js');
