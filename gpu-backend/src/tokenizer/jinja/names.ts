/** Names that Jinja knows, for saying of what is not here that it is not supported. */

/** Jinja's filters. Source: FILTERS in jinja2/filters.py. */
export const filterNames: ReadonlySet<string> = new Set(
  [
    'abs attr batch capitalize center count d default dictsort e escape filesizeformat first float forceescape format groupby indent',
    'int items join last length list lower map max min pprint random reject rejectattr replace reverse round safe select selectattr',
    'slice sort string striptags sum title tojson trim truncate unique upper urlencode urlize wordcount wordwrap xmlattr',
  ].flatMap((names) => names.split(' ')),
)

export const unsupportedTags: ReadonlySet<string> = new Set([
  'autoescape',
  'extends',
  'from',
  'import',
  'include',
  'print',
])
