// What the browser tests stand on: the built program on a data directory of its own, Chromium, a page on another origin,
// and the codes of an authenticator.
import { execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { chromium } from 'playwright-core';

const root = resolve(import.meta.dirname, '../..');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const binary = resolve(process.env.NEVERAFK_BINARY || join(root, 'target/release/neverafk'));
export const handbook = join(root, 'assets/sample-course/handbook.pdf');
const shots = process.env.NEVERAFK_SHOTS && resolve(process.env.NEVERAFK_SHOTS);
if (shots) mkdirSync(shots, { recursive: true });

const inPath = (name) => process.env.PATH.split(delimiter).map((folder) => join(folder, name)).find((path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

export async function browser() {
  const path = process.env.NEVERAFK_CHROMIUM || ['chromium', 'chromium-browser', 'google-chrome'].map(inPath).find(Boolean);
  if (!path) throw new Error('no Chromium: set NEVERAFK_CHROMIUM');
  return chromium.launch({ executablePath: path, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
}

// The program, with a data directory that goes when it ends.
export class Program {
  constructor() {
    if (!existsSync(binary)) throw new Error(`there is no ${binary}: build it, or set NEVERAFK_BINARY`);
    this.data = mkdtempSync(join(tmpdir(), 'neverafk-browser-'));
    this.env = { PATH: process.env.PATH, HOME: this.data, NEVERAFK_DATA_DIR: join(this.data, 'data') };
  }

  run(...args) {
    return execFileSync(binary, args, { env: this.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  // Resolves to the address, and keeps the link that makes the first account.
  async serve() {
    this.child = spawn(binary, ['serve', '--listen', '127.0.0.1:0'], { env: { ...this.env, NEVERAFK_SERVER__METRICS_LISTEN: '' }, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    await new Promise((ready, failed) => {
      this.child.stderr.on('data', (piece) => {
        said += piece;
        this.address ||= /listening on (http:\S+)/.exec(said)?.[1];
        this.link ||= /(http\S+\/setup\?token=\S+)/.exec(said)?.[1];
        if (this.address && (this.link || /key create|creator add/.test(said))) ready();
      });
      this.child.on('exit', (code) => failed(new Error(`the server ended with ${code}: ${said}`)));
      setTimeout(() => (this.address ? ready() : failed(new Error(`no address after 60 s: ${said}`))), 60_000).unref();
    });
    return this.address;
  }

  async end() {
    if (this.child && this.child.exitCode === null) {
      const gone = new Promise((done) => this.child.once('exit', done));
      this.child.kill();
      await gone;
    }
    rmSync(this.data, { recursive: true, force: true });
  }
}

// A school's page elsewhere, under a policy that allows nothing but what the widget's own page says it needs.
// `css` is a style sheet of the page's own, `tongue` its language and direction.
export async function school(address, body, { css = '', tongue = 'lang="en"' } = {}) {
  const policy = `default-src 'self'; script-src ${address}; connect-src ${address} ${address.replace('http', 'ws')}`;
  const server = createServer((asked, reply) => {
    if (asked.url === '/own.css') {
      reply.writeHead(200, { 'content-type': 'text/css; charset=utf-8' });
      reply.end(css);
      return;
    }
    reply.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy });
    const own = css && '<link rel="stylesheet" href="/own.css">';
    reply.end(`<!doctype html><html ${tongue}><title>A school</title>${own}<main><h1>A school</h1></main>${body}`);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${server.address().port}/`, end: () => new Promise((done) => server.close(done)) };
}

export const PASSWORD = 'violet tide nine';

// Makes the first account by the link, and signs in with it.
export async function setUp(page, link, { course, name = 'Mara Lindqvist', email = 'mara@school.example' } = {}) {
  await page.goto(link);
  if (course) await page.fill('#creator', course);
  await page.fill('#name', name);
  await page.fill('#email', email);
  await page.fill('#password', PASSWORD);
  await page.click('main button');
  await page.waitForURL('**/dashboard/*');
}

// RFC 6238, from the secret that the page shows.
export function code(secret, at = Date.now()) {
  const bits = [...secret.replace(/[\s=]/g, '').toUpperCase()].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac('sha1', key).update(step).digest();
  const place = hash[19] & 15;
  return String((hash.readUInt32BE(place) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

export async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true, animations: 'disabled' });
}

// What axe finds, as lines; none is good.
export async function faults(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${JSON.stringify(node.target)} ${node.any[0]?.message ?? rule.help}`));
}
