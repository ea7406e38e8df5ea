// Every page as people see it: light and dark, wide and narrow, without a fault that axe finds.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Program, browser, faults, setUp, shot } from './support.mjs';

const program = new Program();
// Each colour scheme once and each width once; all four where there is time.
const few = [['light', 1280, 820], ['dark', 360, 740]];
const LOOKS = process.env.NEVERAFK_LOOKS === 'all' ? [...few, ['dark', 1280, 820], ['light', 360, 740]] : few;
const MOST = 150_000;
const PAINT = 300; // milliseconds on loopback; a machine with more to do gets a second and a third look
let chromium, address, state;
const pages = [];
const first = [];

before(async () => {
  program.run('demo', '--offline', '--no-serve');
  for (const question of ['Can I get my money back?', 'Who won the football final in 1998?', 'Which binoculars should I buy?']) {
    program.run('ask', question, '--creator', 'demo');
  }
  address = await program.serve();
  chromium = await browser();
  const context = await chromium.newContext();
  const page = await context.newPage();
  pages.push(['setup', program.link.slice(address.length), false], ['login', '/login', false]);
  for (const look of LOOKS) first.push(...await seen(look, ...pages[0])); // gone once it is used
  pages.shift();
  await setUp(page, program.link);
  await page.goto(`${address}/dashboard/demo/webhooks`);
  await page.fill('#url', 'https://school.example/hook');
  await page.click('text=Add it');
  // What the navigation leads to is all there is, and a page of each kind below it.
  await page.goto(`${address}/dashboard/demo`);
  for (const href of await page.locator('nav[aria-label=Dashboard] a').evaluateAll((links) => links.map((link) => link.getAttribute('href')))) {
    pages.push([href.split('/')[3] || 'overview', href, true]);
  }
  for (const [name, list] of [['conversation', 'conversations'], ['ticket', 'inbox']]) {
    await page.goto(`${address}/dashboard/demo/${list}`);
    pages.push([name, await page.getAttribute('.talks a', 'href'), true]);
  }
  pages.push(['experiments', '/dashboard/demo/experiments', true], ['account', '/account', true], ['authenticator', '/account/authenticator', true], ['refused', '/dashboard/nobody', true]);
  pages.push(['landing', '/', false], ['demo', '/demo', false], ['docs', '/docs', false], ['missing', '/nothing-here', false]);
  state = await context.storageState();
  await context.close();
});

after(async () => {
  await chromium?.close();
  await program.end();
});

// Looks at a page once, and gives what is wrong with it.
async function seen([scheme, width, height], name, path, inside) {
  const context = await chromium.newContext({
    viewport: { width, height }, colorScheme: scheme, storageState: inside ? state : undefined, isMobile: width < 500, hasTouch: width < 500, reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const wrong = [];
  let bytes = 0;
  page.on('console', (message) => {
    if (message.type() === 'error' && !/404/.test(message.text())) wrong.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrong.push(`script: ${error}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(address)) wrong.push(`asks ${request.url()}`);
  });
  page.on('requestfinished', async (request) => {
    bytes += (await request.sizes().catch(() => ({ responseBodySize: 0 }))).responseBodySize;
  });
  const painted = () => page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  await page.goto(address + path);
  await page.waitForLoadState('networkidle');
  let paint = await painted();
  const transferred = bytes;
  for (let more = 0; more < 2 && !(paint <= PAINT); more += 1) {
    await page.reload();
    await page.waitForLoadState('networkidle');
    paint = Math.min(paint ?? Infinity, await painted() ?? Infinity);
  }
  await shot(page, `${name}-${scheme}-${width > 500 ? 'desktop' : 'phone'}`);
  wrong.push(...await faults(page));
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 0) wrong.push(`${over} pixels wider than the screen`);
  if (transferred > MOST) wrong.push(`${transferred} bytes`);
  if (!(paint <= PAINT)) wrong.push(`first paint after ${paint} ms`);
  console.log(`${name} ${scheme} ${width}: ${transferred} bytes, first paint after ${Math.round(paint)} ms`);
  await context.close();
  return wrong;
}

test('the page of the first link', () => assert.deepEqual(first, []));

test('every page in every look', async (all) => {
  for (const [name, path, inside] of pages) {
    await all.test(name, async () => {
      const wrong = [];
      for (const look of LOOKS) wrong.push(...(await seen(look, name, path, inside)).map((line) => `${look[0]} ${look[1]}: ${line}`));
      assert.deepEqual(wrong, []);
    });
  }
});

test('the widget open, answering and with its sources', async () => {
  for (const look of LOOKS) {
    const context = await chromium.newContext({ viewport: { width: look[1], height: look[2] }, colorScheme: look[0], reducedMotion: 'reduce' });
    const page = await context.newPage();
    await page.goto(`${address}/c/demo`);
    await page.locator('neverafk-chat textarea').fill('Can I get my money back?');
    await page.keyboard.press('Enter');
    const source = page.locator('neverafk-chat .src button').first();
    await source.waitFor({ timeout: 30_000 });
    await source.click();
    await shot(page, `widget-open-${look[0]}-${look[1] > 500 ? 'desktop' : 'phone'}`);
    assert.deepEqual(await faults(page), [], look.join(' '));
    await context.close();
  }
});
