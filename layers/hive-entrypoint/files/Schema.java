import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hive.metastore.HiveMetaException;
import org.apache.hadoop.hive.metastore.IMetaStoreSchemaInfo;
import org.apache.hadoop.hive.metastore.MetaStoreSchemaInfoFactory;
import org.apache.hadoop.hive.metastore.conf.MetastoreConf;
import org.apache.hadoop.hive.metastore.conf.MetastoreConf.ConfVars;

/**
 * Creates the metastore's schema where there is none ("create"), or says whether the server would find it ("check").
 *
 * <p>Hive's own schematool runs its script statement by statement: two of them get into each other's way, and one that is killed
 * leaves half a schema. PostgreSQL knows transactions for tables, too, so here it is all or nothing. Settings, the version that is
 * wanted and the script are Hive's own.
 */
public final class Schema {
    private static final int WRONG_VERSION = 65;
    private static final int MISSING = 66;
    private static final int UNREACHABLE = 69;
    private static final int BROKEN = 70;
    private static final int REFUSED = 77;

    // Any number that all who create this schema agree on.
    private static final long LOCK = 0x48697665L;
    private static final String WAIT_FOR_OTHERS = "SET LOCAL lock_timeout = '5min'";
    private static final long PAUSE_MILLIS = 1000;
    private static final long NANOS = 1_000_000_000;

    private static final Map<String, Integer> EXIT_CODES =
            Map.of("28000", REFUSED, "28P01", REFUSED, "42501", REFUSED, "3D000", MISSING);
    // A server that starts or stops, or has no connection left; and, by its first two letters, one that is not there.
    private static final Set<String> PASSING = Set.of("57P01", "57P02", "57P03", "53300");
    private static final String NO_CONNECTION = "08";
    private static final String REJECTED = "08004";

    private final Configuration conf;
    private final IMetaStoreSchemaInfo info;
    private final String url;

    private Schema(Configuration conf, String home) {
        this.conf = conf;
        this.info = MetaStoreSchemaInfoFactory.get(conf, home, "postgres");
        this.url = MetastoreConf.getVar(conf, ConfVars.CONNECT_URL_KEY);
    }

    /** {@code create|check HOME SECONDS}: Hive's home, and how long a database that is not there yet is waited for. */
    public static void main(String[] args) {
        Schema schema = new Schema(MetastoreConf.newMetastoreConf(), args[1]);
        System.exit(schema.run(args[0].equals("create"), Long.parseLong(args[2])));
    }

    private int run(boolean create, long seconds) {
        try (Connection connection = connect(seconds)) {
            return create ? create(connection) : check(connection);
        } catch (SQLException error) {
            String hint = "3D000".equals(error.getSQLState()) ? "; create it first" : "";
            return fail(findExitCode(error), place() + ": " + error.getMessage().strip() + hint);
        } catch (IOException | HiveMetaException error) {
            return fail(BROKEN, "Hive's script cannot be read: " + error);
        } catch (InterruptedException error) {
            return fail(BROKEN, "interrupted");
        }
    }

    private Connection connect(long seconds) throws SQLException, IOException, InterruptedException {
        String user = MetastoreConf.getVar(conf, ConfVars.CONNECTION_USER_NAME);
        String password = MetastoreConf.getPassword(conf, ConfVars.PWD);
        for (OptionalLong since = OptionalLong.empty(); ; Thread.sleep(PAUSE_MILLIS)) {
            try {
                return DriverManager.getConnection(url, user, password);
            } catch (SQLException error) {
                long now = System.nanoTime();
                if (!isPassing(error) || now - since.orElse(now) >= seconds * NANOS) {
                    throw error;
                }
                if (since.isEmpty()) {
                    System.err.println("hive-metastore: waiting for " + place() + ": " + error.getMessage());
                    since = OptionalLong.of(now);
                }
            }
        }
    }

    private int create(Connection connection) throws SQLException, IOException, HiveMetaException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute(WAIT_FOR_OTHERS);
            statement.execute("SELECT pg_advisory_xact_lock(" + LOCK + ")");
            if (has(connection, "VERSION") || has(connection, "DBS")) {
                return check(connection);
            }
            Path script = Path.of(info.getMetaStoreScriptDir(), info.generateInitFileName(null));
            statement.execute(Files.readString(script));
            connection.commit();
        }
        System.out.println("hive-metastore: created the schema " + info.getHiveSchemaVersion() + " in " + place());
        return 0;
    }

    private int check(Connection connection) throws SQLException {
        String wanted = info.getHiveSchemaVersion();
        if (!has(connection, "VERSION")) {
            return has(connection, "DBS")
                    ? fail(WRONG_VERSION, place() + " holds tables of a metastore, but not their version; it is left as it is")
                    : fail(MISSING, place() + " holds no schema; the mode schema creates it");
        }
        Optional<String> found = readVersion(connection);
        if (!found.equals(Optional.of(wanted))) {
            return fail(
                    WRONG_VERSION,
                    String.format(
                            "%s holds the schema %s, and this metastore needs %s; it is left as it is: nothing here upgrades a schema",
                            place(), found.orElse("of no one version"), wanted));
        }
        System.out.println("hive-metastore: found the schema " + wanted + " in " + place());
        return 0;
    }

    private static boolean has(Connection connection, String table) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT to_regclass('\"" + table + "\"') IS NOT NULL")) {
            rows.next();
            return rows.getBoolean(1);
        }
    }

    private static Optional<String> readVersion(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT \"SCHEMA_VERSION\" FROM \"VERSION\"")) {
            Optional<String> found = rows.next() ? Optional.ofNullable(rows.getString(1)) : Optional.empty();
            return rows.next() ? Optional.empty() : found;
        }
    }

    private static boolean isPassing(SQLException error) {
        String state = String.valueOf(error.getSQLState());
        return PASSING.contains(state) || (state.startsWith(NO_CONNECTION) && !state.equals(REJECTED));
    }

    private static int findExitCode(SQLException error) {
        return isPassing(error) ? UNREACHABLE : EXIT_CODES.getOrDefault(String.valueOf(error.getSQLState()), BROKEN);
    }

    /** The database, without the options of the URL, which may hold secrets. */
    private String place() {
        return url.replaceFirst("\\?.*", "");
    }

    private static int fail(int code, String what) {
        System.err.println("hive-metastore: " + what);
        return code;
    }
}
