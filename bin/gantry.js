#!/usr/bin/env node
// Plain JavaScript that any Node with modules can read: a Node that is too old gets a sentence and not a syntax error.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const nodeMajorMin = 26;
const sources = new URL('../src/main.ts', import.meta.url);
const isCheckout = existsSync(fileURLToPath(sources));

if (Number(process.versions.node.split('.')[0]) < nodeMajorMin) {
  const remedy = isCheckout
    ? 'The checkout brings its own: run `npm ci` once, then `npm start` or `npx gantry ...`.'
    : `Get it from https://nodejs.org/en/download, or: npx --package=node@${nodeMajorMin} --package=gantry gantry ...`;
  console.error(`gantry needs Node.js ${nodeMajorMin} or newer; this is Node.js ${process.versions.node}.\n${remedy}`);
  process.exitCode = 1;
} else {
  start();
}

/** Both forms start from compiled code: the checkout keeps it beside its modules, a package where Node keeps it. */
async function start() {
  const { enableCompileCache } = await import('node:module');
  if (isCheckout) {
    const folder = fileURLToPath(new URL('../node_modules/.cache/gantry', import.meta.url));
    enableCompileCache(folder);
    // Threads look here; without it each would load the compiler of TypeScript, and keep it.
    process.env.NODE_COMPILE_CACHE = folder;
  } else enableCompileCache();
  await import(isCheckout ? sources.href : new URL('../dist/main.js', import.meta.url).href);
}
