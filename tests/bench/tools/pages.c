/* The floor of a first listing: what any program pays that reads the pages of a list instead of
 * throwing them away. Fetches them side by side, keeps their texts, and has each read by cJSON,
 * whose tree is let go at once; nothing is made of it.
 *
 *   pages HEADER SIDE_BY_SIDE PAGES URL SUFFIX    URL, 1 to PAGES, SUFFIX: an address each
 *
 * Prints the bytes that came.
 */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL_MAX 1024

typedef struct {
    char *text;
    size_t len, size;
} Page;

static struct {
    const char *url, *suffix;
    struct curl_slist *headers;
    unsigned long pages, asked, read;
    unsigned long long bytes;
    Page *all; /* by number, from 0: kept until the end */
} work;

static void
die(const char *what, const char *why)
{
    fprintf(stderr, "pages: %s: %s\n", what, why);
    exit(1);
}

static size_t
on_text(char *text, size_t size, size_t n, void *data)
{
    Page *page = data;
    size_t len = size * n;

    if (page->len + len > page->size) {
        page->size = (page->len + len) * 2;
        page->text = realloc(page->text, page->size);
        if (!page->text)
            die("a page", "no memory");
    }
    memcpy(page->text + page->len, text, len);
    page->len += len;
    return len;
}

/* The next page, on a connection that is free. */
static void
ask(CURLM *multi, CURL *easy)
{
    Page *page = &work.all[work.asked++];
    char url[URL_MAX];

    snprintf(url, sizeof url, "%s%lu%s", work.url, work.asked, work.suffix);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, work.headers);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_text);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, page);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, page);
    curl_multi_add_handle(multi, easy);
}

static void
read_page(const Page *page)
{
    cJSON *tree = cJSON_ParseWithLength(page->text, page->len);

    if (!tree)
        die("a page", "no JSON");
    cJSON_Delete(tree);
    work.bytes += page->len;
    work.read++;
}

/* The next page is on its way while this one is read. */
static void
on_done(CURLM *multi, CURL *easy, CURLcode code)
{
    Page *page = NULL;

    if (code != CURLE_OK)
        die("a page", curl_easy_strerror(code));
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &page);
    curl_multi_remove_handle(multi, easy);
    if (work.asked < work.pages)
        ask(multi, easy);
    else
        curl_easy_cleanup(easy);
    read_page(page);
}

int
main(int argc, char **argv)
{
    CURLM *multi;
    CURLMsg *message;
    unsigned long side_by_side;
    int running, left;

    if (argc != 6)
        die("usage", "pages HEADER SIDE_BY_SIDE PAGES URL SUFFIX");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    work.headers = curl_slist_append(NULL, argv[1]);
    side_by_side = strtoul(argv[2], NULL, 10);
    work.pages = strtoul(argv[3], NULL, 10);
    work.url = argv[4];
    work.suffix = argv[5];
    work.all = calloc(work.pages + 1, sizeof *work.all);
    if (!multi || !work.all)
        die("start", "no memory");
    while (work.asked < work.pages && work.asked < side_by_side)
        ask(multi, curl_easy_init());
    while (work.read < work.pages) {
        if (curl_multi_perform(multi, &running) != CURLM_OK ||
            curl_multi_poll(multi, NULL, 0, running ? 1000 : 0, NULL) != CURLM_OK)
            die("fetch", "curl_multi failed");
        while ((message = curl_multi_info_read(multi, &left)))
            if (message->msg == CURLMSG_DONE)
                on_done(multi, message->easy_handle, message->data.result);
    }
    printf("%llu\n", work.bytes);
    return 0;
}
