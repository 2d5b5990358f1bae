/* A Modbus TCP server on libmodbus: what our driver is judged against.
 *
 * libmodbus_server IP PORT DELAY_MS [OPTION...]
 *
 *   silent=UNIT             never answers for this unit
 *   refuse=REGISTER:CODE    answers with this exception for a holding register
 *   watchdog=MS             is a drive: input register 0 is its speed, which is
 *                           holding register 2 while that was written within
 *                           the last MS; otherwise it runs at 20 by itself.
 *                           Input register 1 counts how often it came to that.
 *
 * Tables of 1100 places; input registers hold ten times their address, odd
 * discrete inputs are on. Prints "unit function address count" for each
 * request, so that a test sees what really went over the wire.
 */
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#define PLACES 1100
#define COMMAND 2
#define OWN_SPEED 20

static int word(const uint8_t *at) { return at[0] << 8 | at[1]; }

static int touches(const uint8_t *pdu, int reg) {
  int function = pdu[0], address = word(pdu + 1), count = word(pdu + 3);
  if (function != 3 && function != 6 && function != 16) return 0;
  if (function == 6) count = 1;
  return address <= reg && reg < address + count;
}

static int option(const char *text, const char *name, const char **value) {
  size_t length = strlen(name);
  if (strncmp(text, name, length) || text[length] != '=') return 0;
  *value = text + length + 1;
  return 1;
}

static int refusal(const uint8_t *pdu, int argc, char **argv) {
  const char *value;
  for (int i = 4; i < argc; i++)
    if (option(argv[i], "refuse", &value) && touches(pdu, atoi(value)))
      return atoi(strchr(value, ':') + 1);
  return 0;
}

static int setting(const char *name, int argc, char **argv) {
  const char *value;
  for (int i = 4; i < argc; i++)
    if (option(argv[i], name, &value)) return atoi(value);
  return 0;
}

static long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The motor, as it is when a request comes, or after its command was written. */
static void drive(modbus_mapping_t *tables, int timeout, int commanded) {
  static int by_itself = 1;
  static long since = 0;
  long now = milliseconds();
  if (commanded) {
    by_itself = 0;
    since = now;
  } else if (!by_itself && now - since > timeout) {
    by_itself = 1;
    tables->tab_input_registers[1]++;
  }
  tables->tab_input_registers[0] = by_itself ? OWN_SPEED : tables->tab_registers[COMMAND];
}

int main(int argc, char **argv) {
  modbus_t *link = modbus_new_tcp(argv[1], atoi(argv[2]));
  modbus_mapping_t *tables = modbus_mapping_new(PLACES, PLACES, PLACES, PLACES);
  int listener = modbus_tcp_listen(link, 8), highest = listener;
  int silent = setting("silent", argc, argv), watchdog = setting("watchdog", argc, argv);
  if (listener < 0) return 1;
  for (int i = 0; i < PLACES; i++) {
    tables->tab_input_registers[i] = 10 * i;
    tables->tab_input_bits[i] = i % 2;
  }
  if (watchdog) tables->tab_input_registers[0] = OWN_SPEED;
  if (watchdog) tables->tab_input_registers[1] = 0;
  fd_set clients, ready;
  FD_ZERO(&clients);
  FD_SET(listener, &clients);
  puts("listening");
  fflush(stdout);
  for (;;) {
    ready = clients;
    if (select(highest + 1, &ready, NULL, NULL, NULL) < 0) return 1;
    for (int s = 0; s <= highest; s++) {
      if (!FD_ISSET(s, &ready)) continue;
      if (s == listener) {
        int client = modbus_tcp_accept(link, &s);
        FD_SET(client, &clients);
        if (client > highest) highest = client;
        continue;
      }
      uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
      modbus_set_socket(link, s);
      int length = modbus_receive(link, query);
      if (length < 0) {
        close(s);
        FD_CLR(s, &clients);
        continue;
      }
      const uint8_t *pdu = query + modbus_get_header_length(link);
      int unit = pdu[-1];
      printf("%d %d %d %d\n", unit, pdu[0], word(pdu + 1), word(pdu + 3));
      fflush(stdout);
      usleep(1000 * atoi(argv[3]));
      if (silent && unit == silent) continue;
      if (watchdog) drive(tables, watchdog, 0);
      int code = refusal(pdu, argc, argv);
      if (code) {
        modbus_reply_exception(link, query, code);
        continue;
      }
      modbus_reply(link, query, length, tables);
      if (watchdog && pdu[0] != 3 && touches(pdu, COMMAND)) drive(tables, watchdog, 1);
    }
  }
}
