// Draws /openapi.json (OpenAPI 3.0 or 3.1) as a page to read: operations by tag, parameters, bodies and answers as field
// lists, and a curl line for each. It knows only what such a document says, so it stays right when routes come and go.
(async () => {
  const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'];
  const DEPTH = 4; // how deep nested objects are opened; deeper ones are only named

  const make = (tag, props = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(props)) if (value) node.setAttribute(key, value);
    node.append(...children.filter(Boolean));
    return node;
  };
  const reference = document.getElementById('reference');

  let spec;
  try {
    const response = await fetch('/openapi.json');
    if (!response.ok) throw new Error('the server answered ' + response.status);
    spec = await response.json();
  } catch (error) {
    reference.replaceChildren(make('p', { class: 'box' }, `/openapi.json could not be read: ${error.message}. Reload the page to try again.`));
    return;
  }

  const resolve = (thing) => {
    for (let hops = 0; thing && thing.$ref && hops < 20; hops++) {
      const path = thing.$ref.replace(/^#\//, '').split('/').map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
      thing = path.reduce((at, part) => at && at[part], spec);
    }
    return thing || {};
  };

  // One schema out of `allOf`, and out of "this or null".
  const flatten = (schema) => {
    schema = resolve(schema);
    const some = (schema.oneOf || schema.anyOf || []).filter((one) => resolve(one).type !== 'null');
    if (some.length === 1) return { ...flatten(some[0]), ...(schema.description && { description: schema.description }) };
    if (!schema.allOf) return schema;
    return schema.allOf.map(flatten).reduce((all, one) => ({
      ...all, ...one, properties: { ...all.properties, ...one.properties }, required: [...(all.required || []), ...(one.required || [])],
    }), { ...schema, allOf: undefined });
  };

  const typeName = (schema) => {
    const flat = flatten(schema);
    const choices = (flat.oneOf || flat.anyOf || []).filter((one) => resolve(one).type !== 'null');
    if (choices.length) return choices.map(typeName).join(' or ');
    if (flat.const !== undefined) return JSON.stringify(flat.const);
    if (flat.enum) return flat.enum.map((value) => JSON.stringify(value)).join(' or ');
    const types = [].concat(flat.type || (flat.properties ? 'object' : 'anything')).filter((type) => type !== 'null');
    if (types[0] === 'array') return 'list of ' + typeName(flat.items || {});
    return types.join(' or ') + (flat.format ? ` (${flat.format})` : '');
  };

  const limits = (s) => [
    s.default !== undefined && `default ${JSON.stringify(s.default)}`, s.minimum !== undefined && `at least ${s.minimum}`,
    s.maximum !== undefined && `at most ${s.maximum}`, s.maxLength && `at most ${s.maxLength} characters`,
    s.example !== undefined && `for example ${JSON.stringify(s.example)}`,
  ].filter(Boolean).join(', ');

  const field = (name, schema, required, description, depth) => {
    const flat = flatten(schema);
    const inner = flat.properties ? flat : flatten(flat.items || {});
    const text = [description || flat.description, limits(flat)].filter(Boolean).join('; ');
    return make('div', {},
      make('dt', {}, name, make('span', {}, typeName(schema)), required && make('span', { class: 'must' }, 'required')),
      make('dd', {}, text, inner.properties && depth < DEPTH ? fields(inner, depth + 1) : ''));
  };

  const fields = (schema, depth = 0) => make('dl', { class: 'fields' }, ...Object.entries(schema.properties || {}).map(
    ([name, part]) => field(name, part, (schema.required || []).includes(name), '', depth)));

  const shape = (schema) => {
    const flat = flatten(schema), inner = flat.items ? flatten(flat.items) : flat;
    if (!inner.properties) return make('p', { class: 'note' }, typeName(schema));
    return make('div', {}, flat.items && make('p', { class: 'note' }, 'A list of:'), fields(inner));
  };

  // A value that could stand in a request, for the curl line.
  const sample = (schema, depth = 0) => {
    const flat = flatten(schema);
    if (flat.example !== undefined) return flat.example;
    if (flat.default !== undefined) return flat.default;
    if (flat.enum) return flat.enum[0];
    if (flat.properties && depth < 3) {
      const keys = flat.required && flat.required.length ? flat.required : Object.keys(flat.properties).slice(0, 3);
      return Object.fromEntries(keys.filter((key) => flat.properties[key]).map((key) => [key, sample(flat.properties[key], depth + 1)]));
    }
    const type = [].concat(flat.type)[0];
    return { string: '…', integer: 1, number: 1, boolean: true, array: [] }[type] ?? null;
  };

  const quoted = (text) => "'" + text.replace(/'/g, "'\\''") + "'";
  const curl = (method, path, operation, parameters, locked) => {
    const query = parameters.filter((p) => p.in === 'query' && p.required).map((p) => `${p.name}=…`).join('&');
    const lines = [`curl${method === 'get' ? '' : ' -X ' + method.toUpperCase()} ${quoted(location.origin + path + (query && '?' + query))}`];
    if (locked) lines.push('-H "Authorization: Bearer $NEVERAFK_KEY"');
    const content = resolve(operation.requestBody).content || {};
    const [kind, media] = Object.entries(content)[0] || [];
    if (kind === 'multipart/form-data') {
      const form = flatten(media.schema).properties || {};
      for (const [name, part] of Object.entries(form)) lines.push(`-F ${quoted(name + '=' + (flatten(part).format === 'binary' || name === 'file' ? '@FILE' : '…'))}`);
    } else if (kind) lines.push(`-H 'Content-Type: ${kind}'`, `-d ${quoted(JSON.stringify(media.example ?? sample(media.schema || {})))}`);
    return lines.join(' \\\n  ');
  };

  const bodies = (content) => Object.entries(content || {}).map(([kind, media]) =>
    make('div', {}, make('p', { class: 'note' }, kind), media.schema ? shape(media.schema) : ''));

  const groups = new Map((spec.tags || []).map((tag) => [tag.name, { about: tag.description, operations: [] }]));
  for (const [path, item] of Object.entries(spec.paths || {})) {
    for (const method of METHODS.filter((m) => item[m])) {
      const operation = item[method], tag = (operation.tags || ['other'])[0];
      if (!groups.has(tag)) groups.set(tag, { operations: [] });
      groups.get(tag).operations.push({ path, method, operation, shared: item.parameters || [] });
    }
  }

  const contents = document.getElementById('contents'), page = [], links = [];
  page.push(make('p', {}, `${spec.info.title} ${spec.info.version}. `, spec.info.description || ''));
  for (const [tag, { about, operations }] of groups) {
    if (!operations.length) continue;
    page.push(make('h2', {}, tag), about && make('p', { class: 'note' }, about));
    const list = make('ul');
    for (const { path, method, operation, shared } of operations) {
      const id = `${method}${path}`.replace(/[^\w]+/g, '-');
      const parameters = [...shared, ...(operation.parameters || [])].map(resolve);
      const security = operation.security ?? spec.security ?? [];
      const locked = security.length > 0 && !security.some((one) => !Object.keys(one).length);
      const verb = () => make('span', { class: `verb ${method}` }, method.toUpperCase());
      const body = resolve(operation.requestBody);
      const link = make('li', { 'data-text': `${method} ${path} ${operation.summary || ''}`.toLowerCase() }, make('a', { href: '#' + id }, verb(), path));
      list.append(link);
      page.push(make('section', { class: 'operation', id, 'aria-label': `${method.toUpperCase()} ${path}`, 'data-text': link.dataset.text },
        make('h3', {}, verb(), make('a', { href: '#' + id }, path)),
        operation.summary && make('p', {}, make('strong', {}, operation.summary)),
        operation.description && operation.description !== operation.summary && make('p', {}, operation.description),
        locked && make('p', { class: 'note' }, 'Needs a key or a session.'),
        operation.deprecated && make('p', { class: 'note' }, 'Deprecated.'),
        parameters.length && make('h4', {}, 'Parameters'),
        parameters.length && make('dl', { class: 'fields' }, ...parameters.map((p) => field(`${p.name} (${p.in})`, p.schema || {}, p.required, p.description, DEPTH))),
        body.content && make('h4', {}, 'Body'), ...bodies(body.content),
        make('h4', {}, 'Answers'),
        ...Object.entries(operation.responses || {}).map(([status, answer]) => {
          answer = resolve(answer);
          const parts = bodies(answer.content);
          const title = `${status} ${answer.description || ''}`;
          return parts.length ? make('details', { open: status.startsWith('2') && 'open' }, make('summary', {}, title), ...parts) : make('p', { class: 'note' }, title);
        }),
        make('h4', {}, 'Try it'),
        make('pre', { tabindex: '0' }, make('code', {}, curl(method, path, operation, parameters, locked)))));
    }
    links.push(make('h2', {}, tag), list);
  }
  reference.replaceChildren(...page.filter(Boolean));
  contents.append(...links);
  contents.hidden = false;
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();

  document.getElementById('filter').addEventListener('input', (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/);
    for (const node of document.querySelectorAll('[data-text]')) node.hidden = !words.every((word) => node.dataset.text.includes(word));
  });
})();
