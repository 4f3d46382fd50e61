import java.lang.reflect.Method;
import java.util.Collection;
import java.util.TreeSet;
import scala.jdk.javaapi.CollectionConverters;

/** Prints the properties of a Kafka broker, one a line: see kafka-broker.txt. */
public class KafkaBrokerNames {
    public static void main(String[] arguments) throws ReflectiveOperationException {
        Class<?> companion = Class.forName("kafka.server.KafkaConfig$");
        Method names = companion.getMethod("configNames");
        Object sequence = names.invoke(companion.getField("MODULE$").get(null));
        Collection<?> all = CollectionConverters.asJavaCollection((scala.collection.Iterable<?>) sequence);
        new TreeSet<>(all).forEach(System.out::println);
    }
}
