import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Asks the classes on the class path which settings they declare: `group<TAB>key` and `group<TAB>from<TAB>jar` lines.
 *
 * What a product marks as internal is left out. Scala is reached by reflection, so the program fits every Scala version.
 */
public class Keys {
    private static final PrintStream OUT = System.out;
    private static final ClassLoader LOADER = Keys.class.getClassLoader();

    public static void main(String[] groups) throws Exception {
        System.setOut(System.err);
        for (String group : groups) {
            switch (group) {
                case "spark" -> spark();
                case "hadoop" -> hadoop();
                case "hive" -> hive();
                case "iceberg" -> iceberg();
                case "rapids" -> rapids();
                default -> throw new IllegalArgumentException(group);
            }
        }
        OUT.flush();
        System.exit(0);
    }

    /** Entries register themselves when the Scala object that holds them is made. */
    private static void spark() throws Exception {
        for (String name : classes("spark-", "org/apache/spark/internal/config/ConfigBuilder")) {
            if (name.endsWith("$")) {
                Class.forName(name, true, LOADER);
            }
        }
        from("spark", "spark-core_");
        for (Object entry : ((Map<?, ?>) call(module("org.apache.spark.internal.config.ConfigEntry", LOADER), "knownConfigs")).values()) {
            if ((boolean) call(entry, "isPublic")) {
                say("spark", call(entry, "key"));
                for (Object key : scala(call(entry, "alternatives"))) {
                    say("spark", key);
                }
            }
        }
    }

    private static void hadoop() throws Exception {
        from("hadoop", "hadoop-client-api-");
        from("hadoop", "hadoop-aws-");
        for (String resource : List.of("core-default.xml", "mapred-default.xml")) {
            try (InputStream in = LOADER.getResourceAsStream(resource)) {
                String text = in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
                Matcher names = Pattern.compile("<name>\\s*([^<\\s]+)\\s*</name>").matcher(text);
                while (names.find()) {
                    say("hadoop", names.group(1));
                }
            }
        }
        constants("hadoop", "org.apache.hadoop.fs.s3a.Constants");
        constants("hadoop", "org.apache.hadoop.fs.s3a.commit.CommitConstants");
    }

    private static void hive() throws Exception {
        from("hive", "hive-common-");
        for (Object each : Class.forName("org.apache.hadoop.hive.conf.HiveConf$ConfVars").getEnumConstants()) {
            say("hive", each.getClass().getField("varname").get(each));
        }
    }

    private static void iceberg() throws Exception {
        from("iceberg", "iceberg-spark-runtime-");
        for (String name : classes("iceberg-", "org/apache/iceberg/")) {
            if (name.matches(".*\\.(CatalogProperties|RESTCatalogProperties|OAuth2Properties|AuthProperties|SparkSQLProperties"
                    + "|AwsProperties|AwsClientProperties|S3FileIOProperties|HttpClientProperties)")) {
                constants("iceberg", name);
            }
        }
        say("iceberg", Class.forName("org.apache.iceberg.CatalogUtil").getField("ICEBERG_CATALOG_TYPE").get(null));
    }

    /** The jar keeps its classes once for each Spark, in folders of their own. */
    private static void rapids() throws Exception {
        from("rapids", "rapids-4-spark_");
        String spark = call(module("org.apache.spark.package", LOADER), "SPARK_VERSION").toString().replace(".", "");
        List<URL> urls = new ArrayList<>();
        for (String folder : List.of("spark" + spark + "/", "spark-shared/", "")) {
            urls.add(new URL("jar:" + jar("rapids-4-spark_").toUri() + "!/" + folder));
        }
        ClassLoader shim = new URLClassLoader(urls.toArray(new URL[0]), LOADER);
        Object conf = module("com.nvidia.spark.rapids.RapidsConf", shim);
        for (Field field : conf.getClass().getDeclaredFields()) {
            if (field.getName().endsWith("registeredConfs")) {
                field.setAccessible(true);
                for (Object entry : scala(field.get(conf))) {
                    if (!(boolean) call(entry, "isInternal")) {
                        say("rapids", call(entry, "key"));
                    }
                }
            }
        }
    }

    /** Public string constants that are no defaults. */
    private static void constants(String group, String name) throws Exception {
        for (Field field : Class.forName(name, false, LOADER).getFields()) {
            boolean isKey = Modifier.isStatic(field.getModifiers()) && field.getType() == String.class;
            if (isKey && !field.getName().contains("DEFAULT")) {
                try {
                    say(group, field.get(null));
                } catch (LinkageError error) {
                    System.err.println("skipped " + name + "." + field.getName() + ": " + error);
                }
            }
        }
    }

    private static void say(String group, Object key) {
        OUT.println(group + "\t" + key);
    }

    private static void from(String group, String prefix) {
        OUT.println(group + "\tfrom\t" + jar(prefix).getFileName());
    }

    private static Path jar(String prefix) {
        for (String path : System.getProperty("java.class.path").split(":")) {
            if (Path.of(path).getFileName().toString().startsWith(prefix)) {
                return Path.of(path);
            }
        }
        throw new IllegalArgumentException("no jar " + prefix);
    }

    private static List<String> classes(String prefix, String mention) throws Exception {
        List<String> found = new ArrayList<>();
        for (String path : System.getProperty("java.class.path").split(":")) {
            if (Path.of(path).getFileName().toString().startsWith(prefix)) {
                try (JarFile file = new JarFile(path)) {
                    for (JarEntry entry : Collections.list(file.entries())) {
                        if (entry.getName().endsWith(".class") && mentions(file, entry, mention)) {
                            found.add(entry.getName().replace('/', '.').replaceAll("\\.class$", ""));
                        }
                    }
                }
            }
        }
        return found;
    }

    private static boolean mentions(JarFile file, JarEntry entry, String text) throws Exception {
        try (InputStream in = file.getInputStream(entry)) {
            return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1).contains(text);
        }
    }

    private static Object module(String name, ClassLoader loader) throws Exception {
        return Class.forName(name + "$", true, loader).getField("MODULE$").get(null);
    }

    private static Object call(Object target, String name) throws Exception {
        Method method = target.getClass().getMethod(name);
        method.setAccessible(true);
        return method.invoke(target);
    }

    private static List<Object> scala(Object collection) throws Exception {
        Class<?> type = Class.forName("scala.collection.Iterator");
        Object iterator = call(collection, "iterator");
        List<Object> found = new ArrayList<>();
        while ((boolean) type.getMethod("hasNext").invoke(iterator)) {
            found.add(type.getMethod("next").invoke(iterator));
        }
        return found;
    }
}
