// Somebody forgot the password: a link comes by mail, and leads to a new one. The mail server is a few lines on loopback.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { PASSWORD, Program, browser, faults, setUp, shot } from './support.mjs';

const program = new Program();
const mails = [];
let chromium, post, address;

// As much of SMTP (RFC 5321) as one mail needs.
const server = () => createServer((socket) => {
  let rest = '', data = null;
  socket.on('error', () => {});
  socket.write('220 post.example\r\n');
  socket.on('data', (piece) => {
    rest += piece;
    for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (data !== null && line !== '.') data.push(line);
      else if (data !== null) {
        mails.push(data.join('\n'));
        data = null;
        socket.write('250 taken\r\n');
      } else if (line === 'DATA') {
        data = [];
        socket.write('354 go on\r\n');
      } else if (line === 'QUIT') socket.end('221 goodbye\r\n');
      else socket.write(line.startsWith('EHLO') ? '250-post.example\r\n250 8BITMIME\r\n' : '250 fine\r\n');
    }
  });
});

before(async () => {
  post = server();
  await new Promise((ready) => post.listen(0, '127.0.0.1', ready));
  Object.assign(program.env, {
    NEVERAFK_SERVER__PUBLIC_URL: 'https://ask.school.example',
    NEVERAFK_MAIL__HOST: '127.0.0.1',
    NEVERAFK_MAIL__PORT: String(post.address().port),
    NEVERAFK_MAIL__SECURITY: 'none',
    NEVERAFK_MAIL__FROM: 'School <help@school.example>',
  });
  address = await program.serve();
  chromium = await browser();
});

after(async () => {
  await chromium?.close();
  await program.end();
  post.close();
});

// Text of RFC 2045's quoted-printable, as far as addresses go.
const plain = (mail) => mail?.replace(/=\r?\n/g, '').replace(/=3D/g, '=');

test('a link that comes by mail leads to a new password', async () => {
  const first = await chromium.newContext();
  await setUp(await first.newPage(), program.link, { course: 'Night School' });
  const context = await chromium.newContext({ viewport: { width: 360, height: 740 }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(`${address}/login`);
  assert.deepEqual(await faults(page), []);
  await page.click('text=Forgot your password?');
  await page.waitForURL('**/forgot');
  assert.deepEqual(await faults(page), []);
  await shot(page, 'forgot');
  await page.fill('#email', 'mara@school.example');
  await page.click('main button');
  await page.waitForSelector('[role=status]');
  assert.deepEqual(await faults(page), []);
  for (let tries = 0; mails.length === 0 && tries < 200; tries += 1) await new Promise((done) => setTimeout(done, 50));
  const token = /https:\/\/ask\.school\.example\/reset\?token=([0-9a-f]{64})/.exec(plain(mails[0]))?.[1];
  assert.ok(token, mails[0]);
  await page.goto(`${address}/reset?token=${token}`);
  assert.deepEqual(await faults(page), []);
  await shot(page, 'reset');
  await page.fill('#password', `${PASSWORD} and more`);
  await page.click('main button');
  await page.waitForURL('**/dashboard/*');
  // The browser of before is out, and the link is used up.
  const former = await first.newPage();
  await former.goto(`${address}/account`);
  assert.match(former.url(), /\/login/);
  await former.goto(`${address}/reset?token=${token}`);
  assert.deepEqual(await faults(former), []);
  assert.match(await former.textContent('main'), /not valid any more/);
});
